import java.util.List;

/** What the load does with an engine. Each call is durable when it returns. */
interface Engine {
    /** Starts an instance of one external task, with the payload as its variable. */
    void start(String payload);

    /** Whether tasks wait to be fetched; otherwise the engine works on them by itself. */
    boolean external();

    /** Takes and locks waiting tasks, at most so many, and gives their ids. */
    List<String> fetch(int max);

    /** Completes a task that was fetched. */
    void complete(String task);

    /**
     * Whether {@link #complete} is all that an instance needs to end. Otherwise the engine tells the load of each
     * end by itself.
     */
    boolean endsWithComplete();
}
