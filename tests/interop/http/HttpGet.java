import java.io.IOException;
import java.io.InputStream;
import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.PasswordAuthentication;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** Arguments: USER PASSWORD URL... One JVM's HttpURLConnection; prints `STATUS BODY` for each URL. */
class HttpGet {
    public static void main(String[] arguments) throws Exception {
        char[] password = arguments[1].toCharArray();
        Authenticator.setDefault(new Authenticator() {
            /** The JDK asks again after a refusal; only the first answer is given, so that a wrong password ends it. */
            private boolean asked;

            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                if (asked) {
                    return null;
                }
                asked = true;
                return new PasswordAuthentication(arguments[0], password);
            }
        });
        for (int index = 2; index < arguments.length; index++) {
            HttpURLConnection connection =
                (HttpURLConnection) new URI(arguments[index]).toURL().openConnection(java.net.Proxy.NO_PROXY);
            connection.setReadTimeout(20_000);
            System.out.println(connection.getResponseCode() + " " + body(connection).strip());
        }
    }

    private static String body(HttpURLConnection connection) throws IOException {
        int status = connection.getResponseCode();
        try (InputStream stream = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return stream == null ? "" : new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
