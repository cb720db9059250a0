import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camunda.client.CamundaClient;
import io.camunda.client.api.command.ClientStatusException;
import io.camunda.client.api.command.FinalCommandStep;
import io.camunda.client.api.response.ActivatedJob;
import io.camunda.client.api.worker.JobWorker;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** What the Java client can do over gRPC, against the gateway in ZEEBE_ADDRESS. */
public final class Scenario {

  private interface Claim {
    void tryOut() throws Exception;
  }

  private static final Duration STEP = Duration.ofSeconds(20);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Path MODELS = Path.of(System.getenv("MODELS"));

  private final Map<String, Claim> claims = new LinkedHashMap<>();
  private final List<Long> started = new ArrayList<>();
  private final CamundaClient client =
      CamundaClient.newClientBuilder()
          .grpcAddress(URI.create("http://" + System.getenv("ZEEBE_ADDRESS")))
          .preferRestOverGrpc(false)
          .applyEnvironmentVariableOverrides(false)
          .defaultRequestTimeout(STEP)
          .build();

  public static void main(String[] arguments) {
    System.exit(new Scenario().tryAll() ? 0 : 1);
  }

  private Scenario() {
    claims.put("topology names one broker that leads its partitions", this::topology);
    claims.put("models are deployed by the call of today and by the old one", this::deploy);
    claims.put("a broken model is refused", this::deployBroken);
    claims.put("a job has its headers, retries and variables, and is completed once", this::complete);
    claims.put("only the variables asked for are fetched", this::fetch);
    claims.put("two polling workers carry an instance to its end, and its result comes back", () -> workers(false));
    claims.put("two streaming workers carry an instance to its end, and its result comes back", () -> workers(true));
    claims.put("a job is pushed through a stream, without any poll", this::stream);
    claims.put("an instance starts before the element that is named", this::startBefore);
    claims.put("a failed job comes again after its back-off", this::backOff);
    claims.put("a worker that fails to the last retry raises an incident; more retries and a resolution go on",
        this::incident);
    claims.put("a job whose time is cut short comes again", this::timeout);
    claims.put("variables can be set while the instance waits", this::setVariables);
    claims.put("a message goes to the instance with its key, once for each message id", this::message);
    claims.put("a signal goes to all who wait for it", this::signal);
    claims.put("a thrown error goes to the boundary event that catches it", this::throwError);
    claims.put("a token is moved by hand", this::modify);
    claims.put("an instance goes on with another definition", this::migrate);
    claims.put("a cancelled instance is gone, with its job", this::cancel);
    claims.put("a decision is evaluated by its id and by its key, and says which rule matched", this::decision);
    claims.put("a deleted definition makes no more instances", this::delete);
  }

  private boolean tryAll() {
    boolean passed = true;
    for (Map.Entry<String, Claim> claim : claims.entrySet()) {
      try {
        claim.getValue().tryOut();
        System.out.println("PASS java: " + claim.getKey());
      } catch (Exception | AssertionError error) {
        passed = false;
        System.out.println("FAIL java: " + claim.getKey() + ": " + error);
      }
      for (long instance : started) {
        refused(client.newCancelInstanceCommand(instance));
      }
      started.clear();
    }
    return passed;
  }

  private void topology() {
    var found = client.newTopologyRequest().send().join();
    equal(found.getBrokers().size(), 1, "brokers");
    var partitions = found.getBrokers().get(0).getPartitions();
    equal(partitions.size(), found.getPartitionsCount(), "partitions of the broker");
    equal(partitions.stream().allMatch(partition -> partition.isLeader()), true, "that it leads all");
  }

  @SuppressWarnings("deprecation")
  private void deploy() {
    var first = deploy("one-task.bpmn");
    equal(List.of(first.getBpmnProcessId(), first.getVersion()), List.of("one-task", 1), "process and version");
    equal(deploy("one-task.bpmn").getProcessDefinitionKey(), first.getProcessDefinitionKey(), "the duplicate's key");
    equal(deploy("waits.bpmn").getBpmnProcessId(), "waits", "process that waits");
    var old = client.newDeployCommand().addResourceFile(model("two-tasks.bpmn")).send().join().getProcesses().get(0);
    equal(List.of(old.getBpmnProcessId(), old.getVersion()), List.of("two-tasks", 1), "process of the old call");
  }

  private void deployBroken() {
    var command = client.newDeployResourceCommand().addResourceFile(model("broken.bpmn"));
    equal(refused(command), "INVALID_ARGUMENT", "status");
  }

  private void complete() {
    long instance = create("one-task", Map.of("order", "A-1"));
    ActivatedJob job = activate("pack");
    equal(List.of(job.getProcessInstanceKey(), job.getElementId(), job.getRetries()), List.of(instance, "pack", 3),
        "instance, element, retries");
    equal(job.getCustomHeaders(), Map.of("box", "small"), "headers");
    equal(job.getVariablesAsMap(), Map.of("order", "A-1"), "variables");
    client.newCompleteCommand(job).send().join();
    equal(refused(client.newCompleteCommand(job)), "NOT_FOUND", "a second time");
  }

  private void fetch() {
    create("one-task", Map.of("order", "A-1", "amount", 12));
    var found = client.newActivateJobsCommand().jobType("pack").maxJobsToActivate(1).timeout(STEP)
        .fetchVariables("amount").requestTimeout(Duration.ofSeconds(5)).send().join();
    equal(found.getJobs().get(0).getVariablesAsMap(), Map.of("amount", 12), "variables");
  }

  private void workers(boolean streamed) throws Exception {
    CompletableFuture<Object> seen = new CompletableFuture<>();
    try (JobWorker check = worker("check-stock", streamed,
            job -> Map.of("reserved", job.getVariable("item") + " in row 7"));
        JobWorker pay = worker("make-payment", streamed, job -> {
          seen.complete(job.getVariable("reserved"));
          return Map.of("paid", true);
        })) {
      var result = client.newCreateInstanceCommand().bpmnProcessId("two-tasks").latestVersion()
          .variables(Map.of("item", "lamp")).withResult().fetchVariables("reserved", "paid")
          .requestTimeout(Duration.ofSeconds(15)).send().join();
      equal(result.getVariablesAsMap(), Map.of("reserved", "lamp in row 7", "paid", true), "result");
    }
    equal(seen.get(5, TimeUnit.SECONDS), "lamp in row 7", "what the second worker saw");
    // The last polls of closed workers go on, and would take the jobs of the next claim.
    Thread.sleep(2 * POLL.toMillis());
  }

  private void stream() throws Exception {
    CompletableFuture<ActivatedJob> pushed = new CompletableFuture<>();
    var open = client.newStreamJobsCommand().jobType("pack").consumer(pushed::complete).workerName("scenario")
        .timeout(STEP).send();
    Thread.sleep(300);
    long instance = create("one-task", Map.of("order", "A-2"));
    ActivatedJob job = pushed.get(5, TimeUnit.SECONDS);
    open.cancel(true);
    equal(job.getProcessInstanceKey(), instance, "instance");
    equal(job.getVariablesAsMap(), Map.of("order", "A-2"), "variables");
  }

  private void startBefore() {
    long instance = client.newCreateInstanceCommand().bpmnProcessId("two-tasks").latestVersion()
        .startBeforeElement("pay").send().join().getProcessInstanceKey();
    started.add(instance);
    equal(activate("make-payment").getProcessInstanceKey(), instance, "instance of the second task's job");
  }

  private void backOff() {
    create("one-task", Map.of());
    ActivatedJob job = activate("pack");
    long failed = System.nanoTime();
    client.newFailCommand(job).retries(2).retryBackoff(Duration.ofMillis(300)).errorMessage("wait")
        .variables(Map.of("tried", 1)).send().join();
    ActivatedJob again = activate("pack");
    equal(System.nanoTime() - failed > 250_000_000, true, "that it came after its back-off");
    equal(List.of(again.getKey(), again.getRetries(), again.getVariable("tried")), List.of(job.getKey(), 2, 1), "job");
  }

  private void incident() throws Exception {
    List<Integer> tries = new CopyOnWriteArrayList<>();
    CompletableFuture<Void> done = new CompletableFuture<>();
    try (JobWorker worker = worker("pack", false, job -> {
      tries.add(job.getRetries());
      if (tries.size() <= 3) {
        throw new IllegalStateException("shelf is empty");
      }
      done.complete(null);
      return Map.of("packed", true);
    })) {
      JsonNode found = incidentOf(create("one-task", Map.of()));
      equal(found.get("errorType").asText(), "JOB_NO_RETRIES", "type of the incident");
      equal(found.get("errorMessage").asText().contains("shelf is empty"), true, "that its message is the worker's");
      long key = found.get("incidentKey").asLong();
      equal(refused(client.newResolveIncidentCommand(key)), "FAILED_PRECONDITION", "without retries");
      client.newUpdateRetriesCommand(found.get("jobKey").asLong()).retries(1).send().join();
      client.newResolveIncidentCommand(key).send().join();
      done.get(5, TimeUnit.SECONDS);
    }
    equal(tries, List.of(3, 2, 1, 1), "retries that the worker saw");
    Thread.sleep(2 * POLL.toMillis());
  }

  private void timeout() {
    create("one-task", Map.of());
    ActivatedJob job = activate("pack");
    client.newUpdateTimeoutCommand(job).timeout(Duration.ofMillis(100)).send().join();
    equal(activate("pack").getKey(), job.getKey(), "the job that came again");
  }

  private void setVariables() {
    long instance = create("one-task", Map.of("amount", 1));
    client.newSetVariablesCommand(instance).variables(Map.of("amount", 2)).send().join();
    equal(activate("pack").getVariablesAsMap(), Map.of("amount", 2), "variables");
  }

  private void message() {
    create("waits", Map.of("order", "A-1"));
    long other = create("waits", Map.of("order", "A-2"));
    var message = client.newPublishMessageCommand().messageName("payment").correlationKey("A-2").messageId("one")
        .timeToLive(Duration.ofMinutes(1)).variables(Map.of("paid", 7));
    message.send().join();
    ActivatedJob job = activate("ship");
    equal(job.getProcessInstanceKey(), other, "instance");
    equal(job.getVariablesAsMap(), Map.of("order", "A-2", "paid", 7), "variables");
    equal(refused(message), "ALREADY_EXISTS", "the same message again");
  }

  private void signal() {
    Set<Long> waiting = Set.of(create("waits", Map.of("order", "B-1")), create("waits", Map.of("order", "B-2")));
    client.newBroadcastSignalCommand().signalName("alarm").variables(Map.of("loud", true)).send().join();
    Set<Long> reached = new HashSet<>();
    for (int n = 0; n < 2; n++) {
      ActivatedJob job = activate("ship");
      equal(job.getVariable("loud"), true, "variable");
      reached.add(job.getProcessInstanceKey());
    }
    equal(reached, waiting, "instances");
  }

  private void throwError() {
    long instance = create("waits", Map.of("order", "C-1"));
    client.newPublishMessageCommand().messageName("payment").correlationKey("C-1").send().join();
    client.newThrowErrorCommand(activate("ship")).errorCode("BOX").errorMessage("no box").send().join();
    equal(activate("repair").getProcessInstanceKey(), instance, "instance of the job after the error");
  }

  private void modify() {
    long instance = create("two-tasks", Map.of());
    ActivatedJob job = activate("check-stock");
    client.newModifyProcessInstanceCommand(instance).activateElement("pay").withVariables(Map.of("moved", true)).and()
        .terminateElement(job.getElementInstanceKey()).send().join();
    equal(activate("make-payment").getVariablesAsMap(), Map.of("moved", true), "variables of the other job");
    equal(refused(client.newCompleteCommand(job)), "NOT_FOUND", "the job that was left");
  }

  private void migrate() {
    long instance = create("one-task", Map.of());
    ActivatedJob job = activate("pack");
    client.newMigrateProcessInstanceCommand(instance).migrationPlan(deploy("two-tasks.bpmn").getProcessDefinitionKey())
        .addMappingInstruction("pack", "check").send().join();
    client.newCompleteCommand(job).send().join();
    equal(activate("make-payment").getProcessInstanceKey(), instance, "instance of the next task's job");
  }

  private void cancel() {
    long instance = create("one-task", Map.of());
    ActivatedJob job = activate("pack");
    client.newCancelInstanceCommand(instance).send().join();
    equal(refused(client.newCompleteCommand(job)), "NOT_FOUND", "its job");
    equal(refused(client.newCancelInstanceCommand(instance)), "NOT_FOUND", "a second time");
  }

  private void decision() {
    long key = client.newDeployResourceCommand().addResourceFile(model("discount.dmn")).send().join()
        .getDecisions().get(0).getDecisionKey();
    for (var which : List.of(client.newEvaluateDecisionCommand().decisionId("discount"),
        client.newEvaluateDecisionCommand().decisionKey(key))) {
      var found = which.variables(Map.of("amount", 120)).send().join();
      equal(found.getDecisionOutput(), "15", "output");
      var rules = found.getEvaluatedDecisions().get(0).getMatchedRules();
      equal(rules.stream().map(rule -> rule.getRuleId()).toList(), List.of("large"), "rules");
    }
  }

  private void delete() {
    long key = deploy("waits.bpmn").getProcessDefinitionKey();
    client.newDeleteResourceCommand(key).send().join();
    equal(refused(client.newCreateInstanceCommand().bpmnProcessId("waits").latestVersion()), "NOT_FOUND", "creation");
    equal(refused(client.newDeleteResourceCommand(key)), "NOT_FOUND", "a second time");
  }

  private io.camunda.client.api.response.Process deploy(String file) {
    return client.newDeployResourceCommand().addResourceFile(model(file)).send().join().getProcesses().get(0);
  }

  private static String model(String file) {
    return MODELS.resolve(file).toString();
  }

  private long create(String process, Map<String, Object> variables) {
    long instance = client.newCreateInstanceCommand().bpmnProcessId(process).latestVersion().variables(variables)
        .send().join().getProcessInstanceKey();
    started.add(instance);
    return instance;
  }

  private ActivatedJob activate(String type) {
    var jobs = client.newActivateJobsCommand().jobType(type).maxJobsToActivate(1).timeout(STEP)
        .requestTimeout(Duration.ofSeconds(5)).send().join().getJobs();
    equal(jobs.size(), 1, "jobs of type " + type + " within 5 s");
    return jobs.get(0);
  }

  /** A worker that completes each job with what the handler returns. */
  private JobWorker worker(String type, boolean streamed, Function<ActivatedJob, Map<String, Object>> handler) {
    return client.newWorker().jobType(type)
        .handler((jobs, job) -> jobs.newCompleteCommand(job).variables(handler.apply(job)).send().join())
        .pollInterval(Duration.ofMillis(100)).requestTimeout(POLL).streamEnabled(streamed).open();
  }

  /** The first unresolved incident of an instance; waits until there is one. */
  private static JsonNode incidentOf(long instance) throws Exception {
    for (int n = 0; n < 50; n++) {
      Process asked = new ProcessBuilder(System.getenv("CORETO_PROGRAM"), "get", "incidents", "--json", "--instance",
          Long.toString(instance)).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      JsonNode found = new ObjectMapper().readTree(asked.getInputStream());
      equal(asked.waitFor(), 0, "how `get incidents` ended");
      if (!found.isEmpty()) {
        return found.get(0);
      }
      Thread.sleep(100);
    }
    throw new AssertionError("no incident within 5 s");
  }

  /** The gRPC status with which a command is refused; OK when it is not. */
  private static String refused(FinalCommandStep<?> command) {
    try {
      command.send().join();
    } catch (ClientStatusException error) {
      return error.getStatusCode().name();
    }
    return "OK";
  }

  private static void equal(Object found, Object wanted, String what) {
    if (!Objects.equals(found, wanted)) {
      throw new AssertionError(what + ": found " + found + ", wanted " + wanted);
    }
  }
}
