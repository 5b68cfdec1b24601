import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.sasl.AuthorizeCallback;
import javax.security.sasl.RealmCallback;
import javax.security.sasl.RealmChoiceCallback;
import javax.security.sasl.Sasl;
import javax.security.sasl.SaslClient;
import javax.security.sasl.SaslServer;

/** Lets the JDK's SASL client and server talk to each other and prints what they say, one JSON object a line. */
public final class Capture {
    // Not the empty message: the JDK answers it with nothing, without a MAC.
    private static final String[] MESSAGES = {"a", "first message", "x".repeat(22), "the last message is a little longer"};

    public static void main(String[] arguments) throws Exception {
        run("chris", "secret", "auth", null);
        run("J\u00e4s\u00f8n Doe", "Stra\u00dfe", "auth", null);
        run("\u0416\u0438\u0432\u0430\u0433\u043e", "\u20ac100", "auth", null);
        run("chris", "secret", "auth-int", null);
        for (String cipher : new String[] {"rc4", "3des", "rc4-56", "rc4-40", "des"}) {
            run("chris", "secret", "auth-conf", cipher);
        }
    }

    private static void run(String user, String password, String qop, String cipher) throws Exception {
        Map<String, String> properties = new HashMap<>();
        properties.put(Sasl.QOP, qop);
        properties.put(Sasl.STRENGTH, "high,medium,low");
        properties.put("com.sun.security.sasl.digest.realm", "elwood.innosoft.com");
        if (cipher != null) {
            properties.put("com.sun.security.sasl.digest.cipher", cipher);
        }
        CallbackHandler handler = callbacks -> {
            for (Callback callback : callbacks) {
                if (callback instanceof NameCallback name) {
                    name.setName(user);
                } else if (callback instanceof PasswordCallback secret) {
                    secret.setPassword(password.toCharArray());
                } else if (callback instanceof RealmChoiceCallback choice) {
                    choice.setSelectedIndex(0);
                } else if (callback instanceof RealmCallback realm) {
                    realm.setText(realm.getDefaultText());
                } else if (callback instanceof AuthorizeCallback authorize) {
                    authorize.setAuthorized(true);
                }
            }
        };
        SaslServer server = Sasl.createSaslServer("DIGEST-MD5", "imap", "elwood.innosoft.com", properties, handler);
        SaslClient client = Sasl.createSaslClient(
            new String[] {"DIGEST-MD5"}, null, "imap", "elwood.innosoft.com", properties, handler);
        byte[] challenge = server.evaluateResponse(new byte[0]);
        byte[] response = client.evaluateChallenge(challenge);
        byte[] proof = server.evaluateResponse(response);
        client.evaluateChallenge(proof);
        StringBuilder line = new StringBuilder("{\"kind\": \"sasl\", \"peer\": \"OpenJDK ");
        line.append(System.getProperty("java.version")).append("\"");
        text(line, "username", user);
        text(line, "password", password);
        text(line, "realm", "elwood.innosoft.com");
        octets(line, "challenge", challenge);
        octets(line, "response", response);
        octets(line, "rspauth", proof);
        if (!qop.equals("auth")) {
            text(line, "layer", cipher == null ? qop : cipher);
            line.append(", \"client-to-server\": [");
            for (int at = 0; at < MESSAGES.length; at++) {
                byte[] message = MESSAGES[at].getBytes(StandardCharsets.UTF_8);
                pair(line, at, message, client.wrap(message, 0, message.length));
            }
            line.append("], \"server-to-client\": [");
            for (int at = 0; at < MESSAGES.length; at++) {
                byte[] message = MESSAGES[at].getBytes(StandardCharsets.UTF_8);
                pair(line, at, message, server.wrap(message, 0, message.length));
            }
            line.append("]");
        }
        System.out.println(line.append("}"));
    }

    private static void pair(StringBuilder line, int at, byte[] message, byte[] wrapped) {
        HexFormat hex = HexFormat.of();
        line.append(at == 0 ? "" : ", ").append("[\"").append(hex.formatHex(message)).append("\", \"");
        line.append(hex.formatHex(wrapped)).append("\"]");
    }

    private static void octets(StringBuilder line, String name, byte[] value) {
        line.append(", \"").append(name).append("\": \"").append(HexFormat.of().formatHex(value)).append("\"");
    }

    private static void text(StringBuilder line, String name, String value) {
        line.append(", \"").append(name).append("\": \"");
        value.chars().forEach(unit -> line.append(unit < 0x80 ? String.valueOf((char) unit) : String.format("\\u%04x", unit)));
        line.append("\"");
    }
}
