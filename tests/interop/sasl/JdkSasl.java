import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
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
import javax.security.sasl.SaslException;
import javax.security.sasl.SaslServer;

/** The JDK's DIGEST-MD5 as client or server of tests/interop/README.md's line protocol. */
class JdkSasl {
    private static final byte[] NOTHING = {};

    private final boolean isClient;
    private final Map<String, String> settings;
    private SaslClient client;
    private SaslServer server;

    private JdkSasl(boolean isClient, Map<String, String> settings) {
        this.isClient = isClient;
        this.settings = settings;
    }

    public static void main(String[] arguments) throws IOException {
        Map<String, String> settings = new HashMap<>();
        for (int index = 1; index < arguments.length; index++) {
            String[] parts = arguments[index].split("=", 2);
            settings.put(parts[0], parts[1]);
        }
        JdkSasl peer = new JdkSasl(arguments[0].equals("client"), settings);
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] parts = line.split(" ", 2);
            byte[] bytes = parts.length > 1 ? Base64.getDecoder().decode(parts[1].strip()) : NOTHING;
            try {
                output.println(peer.answer(parts[0], bytes));
            } catch (SaslException | RuntimeException failure) {
                output.println("failed " + String.valueOf(failure.getMessage()).lines().findFirst().orElse(""));
            }
        }
    }

    private String answer(String word, byte[] bytes) throws IOException {
        switch (word) {
            case "start":
                begin();
                if (isClient) {
                    return "token";
                }
                return stepped(server.evaluateResponse(bytes));
            case "token":
                return stepped(isClient ? client.evaluateChallenge(bytes) : server.evaluateResponse(bytes));
            case "wrap":
                return "wrapped " + base64(withLength(bytes));
            case "unwrap":
                return "unwrapped " + base64(unwrapped(bytes));
            default:
                return "failed no such request";
        }
    }

    private void begin() throws SaslException {
        Map<String, String> properties = new HashMap<>();
        properties.put(Sasl.QOP, settings.getOrDefault("qop", "auth"));
        properties.put(Sasl.MAX_BUFFER, settings.getOrDefault("maxbuf", "65536"));
        if (settings.containsKey("cipher")) {
            properties.put("com.sun.security.sasl.digest.cipher", settings.get("cipher"));
        }
        String service = settings.getOrDefault("service", "imap");
        String host = settings.getOrDefault("host", "localhost");
        if (isClient) {
            String[] mechanisms = { "DIGEST-MD5" };
            client = Sasl.createSaslClient(mechanisms, settings.get("authzid"), service, host, properties, handler());
        } else {
            if (settings.containsKey("realm")) {
                properties.put("com.sun.security.sasl.digest.realm", settings.get("realm"));
            }
            properties.put("com.sun.security.sasl.digest.utf8", settings.getOrDefault("utf8", "true"));
            server = Sasl.createSaslServer("DIGEST-MD5", service, host, properties, handler());
        }
    }

    private CallbackHandler handler() {
        String user = settings.get("user");
        char[] password = settings.get("password").toCharArray();
        return callbacks -> {
            boolean known = true;
            for (Callback callback : callbacks) {
                if (callback instanceof NameCallback) {
                    NameCallback name = (NameCallback) callback;
                    known = isClient || user.equals(name.getDefaultName());
                    name.setName(user);
                } else if (callback instanceof RealmChoiceCallback) {
                    ((RealmChoiceCallback) callback).setSelectedIndex(0);
                } else if (callback instanceof RealmCallback) {
                    RealmCallback realm = (RealmCallback) callback;
                    realm.setText(settings.getOrDefault("realm", realm.getDefaultText()));
                } else if (callback instanceof AuthorizeCallback) {
                    ((AuthorizeCallback) callback).setAuthorized(true);
                } else if (callback instanceof PasswordCallback && known) {
                    ((PasswordCallback) callback).setPassword(password);
                }
            }
        };
    }

    private String stepped(byte[] token) {
        boolean complete = isClient ? client.isComplete() : server.isComplete();
        if (!complete) {
            return "token " + base64(token == null ? NOTHING : token);
        }
        Object qop = isClient ? client.getNegotiatedProperty(Sasl.QOP) : server.getNegotiatedProperty(Sasl.QOP);
        String name = isClient ? "" : server.getAuthorizationID();
        String done = "done qop=" + qop + " user=" + base64(name.getBytes(StandardCharsets.UTF_8));
        return token == null || token.length == 0 ? done : done + " token=" + base64(token);
    }

    /** The JDK leaves the length of four bytes to its caller. */
    private byte[] withLength(byte[] message) throws IOException {
        byte[] wrapped = isClient ? client.wrap(message, 0, message.length) : server.wrap(message, 0, message.length);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new DataOutputStream(bytes).writeInt(wrapped.length);
        bytes.write(wrapped);
        return bytes.toByteArray();
    }

    private byte[] unwrapped(byte[] packets) throws IOException {
        DataInputStream input = new DataInputStream(new ByteArrayInputStream(packets));
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        while (input.available() > 0) {
            byte[] packet = new byte[input.readInt()];
            input.readFully(packet);
            messages.write(isClient ? client.unwrap(packet, 0, packet.length) : server.unwrap(packet, 0, packet.length));
        }
        return messages.toByteArray();
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
