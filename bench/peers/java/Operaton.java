import java.util.List;
import java.util.Map;
import org.operaton.bpm.engine.ExternalTaskService;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.RuntimeService;
import org.operaton.bpm.engine.externaltask.LockedExternalTask;
import org.operaton.bpm.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.operaton.bpm.engine.impl.persistence.StrongUuidGenerator;

/** Operaton in this process, with an external task that is fetched and completed through its Java interface. */
final class Operaton implements Engine {
    private static final String WORKER = "load";
    private static final long LOCK_MS = 300_000;
    private static final String MODEL = """
        <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
            targetNamespace="bench">
          <process id="one-task" isExecutable="true" camunda:historyTimeToLive="1">
            <startEvent id="start"/>
            <sequenceFlow id="in" sourceRef="start" targetRef="task"/>
            <serviceTask id="task" camunda:type="external" camunda:topic="work"/>
            <sequenceFlow id="out" sourceRef="task" targetRef="end"/>
            <endEvent id="end"/>
          </process>
        </definitions>
        """;

    private final RuntimeService runtime;
    private final ExternalTaskService tasks;

    private Operaton(ProcessEngine engine) {
        this.runtime = engine.getRuntimeService();
        this.tasks = engine.getExternalTaskService();
    }

    public static void main(String[] args) throws Exception {
        try (var database = Database.open()) {
            var configuration = new StandaloneProcessEngineConfiguration();
            configuration.setDataSource(database);
            configuration.setDatabaseSchemaUpdate("true");
            configuration.setHistory("none");
            configuration.setIdGenerator(new StrongUuidGenerator());
            configuration.setMetricsEnabled(false);
            ProcessEngine engine = configuration.buildProcessEngine();
            engine.getRepositoryService().createDeployment().addString("one-task.bpmn", MODEL).deploy();
            new Load().serve(new Operaton(engine));
            engine.close();
        }
    }

    @Override
    public void start(String payload) {
        runtime.startProcessInstanceByKey("one-task", Map.of("payload", payload));
    }

    @Override
    public boolean external() {
        return true;
    }

    @Override
    public List<String> fetch(int max) {
        var locked = tasks.fetchAndLock(max, WORKER).topic("work", LOCK_MS).execute();
        return locked.stream().map(LockedExternalTask::getId).toList();
    }

    @Override
    public void complete(String task) {
        tasks.complete(task, WORKER);
    }

    @Override
    public boolean endsWithComplete() {
        return true;
    }
}
