// What Spring Cloud Consul can do, against the catalog in CONSUL_HTTP_ADDR.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

public class Scenario {
    @Configuration
    @EnableAutoConfiguration
    static class Application {}

    private static final String ADDRESS = System.getenv("CONSUL_HTTP_ADDR");
    private static int failed = 0;

    public static void main(String[] arguments) throws Exception {
        put("/v1/kv/config/orders/limit", "10");
        ConfigurableApplicationContext context = start();
        DiscoveryClient discovery = context.getBean(DiscoveryClient.class);
        claim("an application registers itself, and finds itself by name once its check passes", () -> {
            ServiceInstance found = eventually(() -> discovery.getInstances("orders").stream().findFirst().orElse(null));
            equal(found.getPort(), Integer.parseInt(context.getEnvironment().getProperty("local.server.port")));
            equal(found.getMetadata().get("team"), "north");
            return null;
        });
        claim("all services are listed", () -> {
            equal(discovery.getServices().contains("orders"), true);
            return null;
        });
        claim("keys are read as properties, and changes of them are heard of", () -> {
            equal(context.getEnvironment().getProperty("limit"), "10");
            put("/v1/kv/config/orders/limit", "11");
            return eventually(() -> "11".equals(context.getEnvironment().getProperty("limit")) ? true : null);
        });
        claim("a service that another has registered is found, and not while it is critical", () -> {
            put("/v1/agent/service/register", "{\"Name\": \"stock\", \"Port\": 81, \"Check\": {\"TTL\": \"1m\"}}");
            equal(discovery.getInstances("stock"), List.of());
            put("/v1/agent/check/pass/service:stock", "");
            equal(eventually(() -> discovery.getInstances("stock").stream().findFirst().orElse(null)).getPort(), 81);
            return null;
        });
        claim("an application that ends takes itself away", () -> {
            context.close();
            return eventually(() -> get("/v1/catalog/service/orders").equals("[]") ? true : null);
        });
        System.exit(failed > 0 ? 1 : 0);
    }

    private static ConfigurableApplicationContext start() {
        String[] address = ADDRESS.split(":");
        Map<String, Object> properties = Map.ofEntries(
            Map.entry("spring.application.name", "orders"),
            Map.entry("spring.main.banner-mode", "off"),
            Map.entry("logging.level.root", "WARN"),
            Map.entry("server.port", "0"),
            Map.entry("spring.config.import", "optional:consul:"),
            Map.entry("spring.cloud.consul.host", address[0]),
            Map.entry("spring.cloud.consul.port", address[1]),
            // It waits for one place after the other.
            Map.entry("spring.cloud.consul.config.watch.delay", "100"),
            Map.entry("spring.cloud.consul.config.watch.wait-time", "1"),
            Map.entry("spring.cloud.consul.discovery.hostname", "127.0.0.1"),
            Map.entry("spring.cloud.consul.discovery.query-passing", "true"),
            Map.entry("spring.cloud.consul.discovery.heartbeat.enabled", "true"),
            Map.entry("spring.cloud.consul.discovery.heartbeat.ttl", "10s"),
            Map.entry("spring.cloud.consul.discovery.register-health-check", "false"),
            Map.entry("spring.cloud.consul.discovery.metadata.team", "north"));
        String[] flags = properties.entrySet().stream()
            .map(entry -> "--" + entry.getKey() + "=" + entry.getValue()).toArray(String[]::new);
        return new SpringApplicationBuilder(Application.class).web(WebApplicationType.SERVLET).run(flags);
    }

    private static void claim(String text, Callable<Object> act) {
        try {
            act.call();
            System.out.println("PASS spring: " + text);
        } catch (Throwable error) {
            failed += 1;
            System.out.println("FAIL spring: " + text + ": " + error);
        }
    }

    /** Asks until there is an answer, for 20 seconds. */
    private static <T> T eventually(Callable<T> ask) throws Exception {
        for (int n = 0; n < 200; n += 1) {
            T answer = ask.call();
            if (answer != null) {
                return answer;
            }
            Thread.sleep(100);
        }
        throw new AssertionError("it did not come within 20 s");
    }

    private static void equal(Object found, Object wanted) {
        if (!wanted.equals(found)) {
            throw new AssertionError("found " + found + ", wanted " + wanted);
        }
    }

    private static void put(String path, String body) throws Exception {
        equal(send(HttpRequest.newBuilder(uri(path)).PUT(BodyPublishers.ofString(body)).build()).statusCode(), 200);
    }

    private static String get(String path) throws Exception {
        return send(HttpRequest.newBuilder(uri(path)).build()).body();
    }

    private static java.net.http.HttpResponse<String> send(HttpRequest request) throws Exception {
        return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build().send(request, BodyHandlers.ofString());
    }

    private static URI uri(String path) {
        return URI.create("http://" + ADDRESS + path);
    }
}
