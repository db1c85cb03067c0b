package io.pq32.quantization;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/**
 * Runs numbered tasks on the calling thread and on as many helpers as an executor grants.
 *
 * <p>The caller takes tasks like any helper, and waits only for tasks that a helper has already
 * begun. So it makes progress when the executor is busy, refuses, or is the very pool the caller
 * runs on: a merge never waits for a thread that is itself waiting for the merge.
 *
 * <p>A helper helps with one run and gives its thread back; and while one that was asked for waits
 * for a thread, no other is asked for in its place. So a busy pool has at most as many tasks of
 * ours in its queue as there may be helpers, however many runs they come too late for.
 */
public final class CooperativeTasks {
  private final Executor executor;
  private final int helpers;
  private final Runnable check;
  private final Semaphore absent; // helpers that do not wait for a thread
  private volatile Run current; // what a helper that gets a thread helps with; null: nothing

  /** Tasks run on the calling thread alone. */
  public static final CooperativeTasks CALLER_ONLY = new CooperativeTasks(Runnable::run, 0);

  /**
   * @param executor runs the helpers; may refuse or delay them
   * @param helpers most threads besides the caller, 0 or more
   */
  public CooperativeTasks(Executor executor, int helpers) {
    this(executor, helpers, () -> {});
  }

  /**
   * @param executor runs the helpers; may refuse or delay them
   * @param helpers most threads besides the caller, 0 or more
   * @param check is run before every task, on any thread, and throws when nobody wants the results
   *     any more
   */
  public CooperativeTasks(Executor executor, int helpers, Runnable check) {
    if (helpers < 0) {
      throw new IllegalArgumentException("helpers must be at least 0; got " + helpers);
    }
    this.executor = executor;
    this.helpers = helpers;
    this.check = check;
    this.absent = new Semaphore(helpers);
  }

  /** Threads that may work at once, the caller among them. */
  public int parallelism() {
    return helpers + 1;
  }

  /**
   * Runs {@code task} for every number from 0 to {@code count - 1} and returns when all are done.
   * The first exception of a task ends the handing out of further ones and is thrown again here.
   */
  public void run(int count, IntConsumer task) {
    Run run = new Run(count, check, task);
    current = run;
    callHelpers(Math.min(helpers, count - 1), run);
    run.run();
    run.awaitBegunTasks();
    current = null;
    run.throwFailure();
  }

  private void callHelpers(int wanted, Run run) {
    for (int i = 0; i < wanted && absent.tryAcquire(); i++) {
      try {
        executor.execute(this::help);
      } catch (RejectedExecutionException _) {
        absent.release();
        return; // the caller does what is left
      } catch (Throwable t) {
        absent.release();
        run.fail(t); // thrown when no helper writes into the caller's arrays any more
        return;
      }
    }
  }

  private void help() {
    absent.release();
    Run run = current;
    if (run != null) {
      run.run();
    }
  }

  private static final class Run implements Runnable {
    private final int count;
    private final Runnable check;
    private final IntConsumer task;
    private final AtomicInteger next = new AtomicInteger();
    private final CountDownLatch unfinished;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Run(int count, Runnable check, IntConsumer task) {
      this.count = count;
      this.check = check;
      this.task = task;
      this.unfinished = new CountDownLatch(count);
    }

    @Override
    public void run() {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        try {
          if (failure.get() == null) {
            check.run();
            task.accept(i);
          }
        } catch (Throwable t) {
          fail(t);
        } finally {
          unfinished.countDown();
        }
      }
    }

    void fail(Throwable t) {
      failure.compareAndSet(null, t);
    }

    void awaitBegunTasks() {
      boolean interrupted = false;
      while (true) {
        try {
          unfinished.await();
          break;
        } catch (InterruptedException _) {
          interrupted = true; // helpers still write into the caller's arrays: wait for them
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    void throwFailure() {
      switch (failure.get()) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable t -> throw new IllegalStateException(t);
      }
    }
  }
}
