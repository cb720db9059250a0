import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.flowable.common.engine.api.delegate.event.FlowableEngineEntityEvent;
import org.flowable.common.engine.api.delegate.event.FlowableEngineEventType;
import org.flowable.common.engine.impl.cfg.TransactionState;
import org.flowable.common.engine.impl.history.HistoryLevel;
import org.flowable.common.engine.impl.persistence.StrongUuidGenerator;
import org.flowable.engine.ManagementService;
import org.flowable.engine.ProcessEngine;
import org.flowable.engine.RuntimeService;
import org.flowable.engine.delegate.event.AbstractFlowableEngineEventListener;
import org.flowable.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.flowable.job.api.AcquiredExternalWorkerJob;

/**
 * Flowable in this process. The argument says what the one task is: {@code external}, an external worker task that
 * is acquired and completed through the engine's Java interface; or {@code async}, an asynchronous service task
 * that the engine's own executor runs, which has nothing to do.
 */
final class Flowable implements Engine {
    private static final String WORKER = "load";
    private static final Duration LOCK = Duration.ofMinutes(5);

    private final RuntimeService runtime;
    private final ManagementService management;
    private final boolean external;

    private Flowable(ProcessEngine engine, boolean external) {
        this.runtime = engine.getRuntimeService();
        this.management = engine.getManagementService();
        this.external = external;
    }

    public static void main(String[] args) throws Exception {
        boolean external = args[0].equals("external");
        Load load = new Load();
        try (var database = Database.open()) {
            var configuration = new StandaloneProcessEngineConfiguration();
            configuration.setDataSource(database);
            configuration.setDatabaseSchemaUpdate("true");
            configuration.setHistoryLevel(HistoryLevel.NONE);
            configuration.setIdGenerator(new StrongUuidGenerator());
            configuration.setDisableEventRegistry(true);
            configuration.setDisableIdmEngine(true);
            configuration.setAsyncExecutorActivate(true);
            configuration.setEventListeners(List.of(new Ends(load)));
            ProcessEngine engine = configuration.buildProcessEngine();
            engine.getRepositoryService().createDeployment().addString("one-task.bpmn", model(external)).deploy();
            load.serve(new Flowable(engine, external));
            engine.close();
        }
    }

    private static String model(boolean external) {
        String task = external
            ? "flowable:type=\"external-worker\" flowable:topic=\"work\""
            : "flowable:async=\"true\" flowable:exclusive=\"false\" flowable:expression=\"${true}\"";
        return """
            <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:flowable="http://flowable.org/bpmn"
                targetNamespace="bench">
              <process id="one-task" isExecutable="true">
                <startEvent id="start"/>
                <sequenceFlow id="in" sourceRef="start" targetRef="task"/>
                <serviceTask id="task" %s/>
                <sequenceFlow id="out" sourceRef="task" targetRef="end"/>
                <endEvent id="end"/>
              </process>
            </definitions>
            """.formatted(task);
    }

    @Override
    public void start(String payload) {
        runtime.startProcessInstanceByKey("one-task", Map.of("payload", payload));
    }

    @Override
    public boolean external() {
        return external;
    }

    @Override
    public List<String> fetch(int max) {
        var acquired = management.createExternalWorkerJobAcquireBuilder().topic("work", LOCK).acquireAndLock(max, WORKER);
        return acquired.stream().map(AcquiredExternalWorkerJob::getId).toList();
    }

    @Override
    public void complete(String task) {
        management.createExternalWorkerCompletionBuilder(task, WORKER).complete();
    }

    @Override
    public boolean endsWithComplete() {
        return false;
    }

    /** Tells the load of each end after its transaction has committed. */
    private static final class Ends extends AbstractFlowableEngineEventListener {
        private final Load load;

        Ends(Load load) {
            super(Set.of(FlowableEngineEventType.PROCESS_COMPLETED));
            this.load = load;
            setOnTransaction(TransactionState.COMMITTED.name());
        }

        @Override
        protected void processCompleted(FlowableEngineEntityEvent event) {
            load.ended();
        }
    }
}
