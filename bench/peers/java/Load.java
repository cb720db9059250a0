import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A closed loop: a fixed number of instances in flight, and the next one starts when one has ended.
 *
 * <p>Reads lines {@code run SECONDS} from standard input. Each is answered by {@code begin} after a second of load,
 * {@code end COMPLETED FAILED} when the seconds have passed, and {@code drained} when nothing is in flight any more.
 */
final class Load {
    private static final int IN_FLIGHT = 64;
    private static final int STARTERS = 16;
    private static final int WORKERS = 16;
    private static final int FETCH_MAX = 32;
    private static final int ATTEMPTS = 5;
    private static final long IDLE_MS = 2;
    private static final long DRAIN_SECONDS = 30;
    private static final String PAYLOAD = "x".repeat(100);

    private final Semaphore slots = new Semaphore(IN_FLIGHT);
    private final AtomicLong completed = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private Engine engine;
    private volatile boolean starting;

    /** An instance has ended, durably. */
    void ended() {
        completed.incrementAndGet();
        slots.release();
    }

    /** Serves standard input until it closes. */
    void serve(Engine engine) throws Exception {
        this.engine = engine;
        if (engine.external()) {
            daemon(this::work);
        }
        System.out.println("ready");
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            run(Integer.parseInt(line.split(" ")[1]));
        }
    }

    private void run(int seconds) throws InterruptedException {
        starting = true;
        for (int number = 0; number < STARTERS; number++) {
            daemon(this::start);
        }
        Thread.sleep(1000);
        System.out.println("begin");
        long completedBefore = completed.get();
        Thread.sleep(seconds * 1000L);
        System.out.println("end " + (completed.get() - completedBefore) + " " + failed.get());
        starting = false;
        if (!slots.tryAcquire(IN_FLIGHT, DRAIN_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("instances are still in flight after " + DRAIN_SECONDS + " s");
        }
        slots.release(IN_FLIGHT);
        System.out.println("drained");
    }

    private void start() {
        try {
            while (starting) {
                if (slots.tryAcquire(100, TimeUnit.MILLISECONDS)) {
                    attempt(() -> engine.start(PAYLOAD));
                }
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** One thread fetches, so that fetches do not contend for the same rows; many complete. */
    private void work() {
        ExecutorService workers = Executors.newFixedThreadPool(WORKERS, Load::daemonThread);
        try {
            while (true) {
                List<String> tasks = engine.fetch(FETCH_MAX);
                for (String task : tasks) {
                    workers.execute(() -> {
                        if (attempt(() -> engine.complete(task)) && engine.endsWithComplete()) {
                            ended();
                        }
                    });
                }
                if (tasks.isEmpty()) {
                    Thread.sleep(IDLE_MS);
                }
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Calls again what failed, as a client does after an optimistic lock; gives the instance up in the end. */
    private boolean attempt(Runnable call) {
        RuntimeException last = null;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                call.run();
                return true;
            } catch (RuntimeException error) {
                last = error;
            }
        }
        failed.incrementAndGet();
        slots.release();
        last.printStackTrace();
        return false;
    }

    private static void daemon(Runnable body) {
        daemonThread(body).start();
    }

    private static Thread daemonThread(Runnable body) {
        Thread thread = new Thread(body);
        thread.setDaemon(true);
        return thread;
    }
}
