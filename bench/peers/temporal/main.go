// Load for Temporal: a worker with a workflow of one activity, and a closed loop that keeps a fixed number of
// workflows in flight.
//
// It reads lines `run SECONDS` from standard input. Each is answered by `begin` after a second of load,
// `end COMPLETED FAILED` when the seconds have passed, and `drained` when nothing is in flight any more.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	inFlight  = 64
	queue     = "work"
	namespace = "bench"
)

var (
	payload           = strings.Repeat("x", 100)
	completed, failed atomic.Int64
)

// OneTask is the workflow: one activity.
func OneTask(ctx workflow.Context, payload string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	return workflow.ExecuteActivity(ctx, Work, payload).Get(ctx, nil)
}

// Work is the activity, which has nothing to do.
func Work(context.Context, string) error {
	return nil
}

func main() {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	options := client.Options{HostPort: os.Args[1], Namespace: namespace, Logger: sdklog.NewStructuredLogger(logger)}
	register(options)
	server, err := client.Dial(options)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	works := worker.New(server, queue, worker.Options{
		MaxConcurrentWorkflowTaskPollers: 8,
		MaxConcurrentActivityTaskPollers: 8,
	})
	works.RegisterWorkflow(OneTask)
	works.RegisterActivity(Work)
	if err := works.Start(); err != nil {
		log.Fatal(err)
	}
	defer works.Stop()
	try("the first workflow", func() error { return instance(server) })
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var seconds int
		if _, err := fmt.Sscanf(lines.Text(), "run %d", &seconds); err != nil {
			log.Fatalf("`%s`: %v", lines.Text(), err)
		}
		run(server, time.Duration(seconds)*time.Second)
	}
}

// register makes the namespace, as soon as the server that has just been started answers.
func register(options client.Options) {
	try("the namespace", func() error {
		namespaces, err := client.NewNamespaceClient(options)
		if err != nil {
			return err
		}
		defer namespaces.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return namespaces.Register(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace:                        namespace,
			WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
		})
	})
}

// try calls again what does not work yet, for a minute or so at most.
func try(what string, call func() error) {
	var err error
	for range 60 {
		if err = call(); err == nil {
			return
		}
		time.Sleep(time.Second)
	}
	log.Fatalf("%s: %v", what, err)
}

func run(server client.Client, during time.Duration) {
	var loops sync.WaitGroup
	var stop atomic.Bool
	for range inFlight {
		loops.Go(func() {
			for !stop.Load() {
				if err := instance(server); err != nil {
					failed.Add(1)
					log.Print(err)
				} else {
					completed.Add(1)
				}
			}
		})
	}
	time.Sleep(time.Second)
	fmt.Println("begin")
	before := completed.Load()
	time.Sleep(during)
	fmt.Println("end", completed.Load()-before, failed.Load())
	stop.Store(true)
	loops.Wait()
	fmt.Println("drained")
}

// instance starts a workflow, which the worker of this process may take at once, and waits for its end.
func instance(server client.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	options := client.StartWorkflowOptions{TaskQueue: queue, EnableEagerStart: true}
	execution, err := server.ExecuteWorkflow(ctx, options, OneTask, payload)
	if err != nil {
		return err
	}
	return execution.Get(ctx, nil)
}
