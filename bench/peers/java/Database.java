import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

/** The connections to PostgreSQL: {@code PEER_JDBC_URL}, {@code PEER_USER} and {@code PEER_PASSWORD} of the environment. */
final class Database {
    /**
     * More than twice the threads that use them: Flowable takes a second one to tell of a commit while it holds the
     * first, and with fewer all threads may wait for each other. PostgreSQL lets in 100.
     */
    private static final int CONNECTIONS = 90;

    private Database() {}

    static HikariDataSource open() {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(System.getenv("PEER_JDBC_URL"));
        config.setUsername(System.getenv("PEER_USER"));
        config.setPassword(System.getenv("PEER_PASSWORD"));
        config.setMaximumPoolSize(CONNECTIONS);
        return new HikariDataSource(config);
    }
}
