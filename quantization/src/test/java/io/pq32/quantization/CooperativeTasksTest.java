package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CooperativeTasksTest {
  private final ExecutorService pool = Executors.newFixedThreadPool(3);

  @AfterEach
  void stopPool() throws InterruptedException {
    pool.shutdown();
    assertTrue(pool.awaitTermination(30, TimeUnit.SECONDS), "a helper never ended");
  }

  @Test
  void runsEveryTaskOnce() {
    int[] counts = {0, 1, 2, 3, 4, 100, 10_000};
    for (int count : counts) {
      AtomicIntegerArray runs = new AtomicIntegerArray(count);
      new CooperativeTasks(pool, 3).run(count, runs::incrementAndGet);
      assertTrue(IntStream.range(0, count).allMatch(i -> runs.get(i) == 1), "of " + count);
    }
  }

  @Test
  void callerOnlyRunsTasksInOrderOnTheCaller() {
    List<Integer> order = new ArrayList<>();
    CooperativeTasks.CALLER_ONLY.run(5, order::add);
    assertEquals(List.of(0, 1, 2, 3, 4), order);
    assertEquals(1, CooperativeTasks.CALLER_ONLY.parallelism());
  }

  @Test
  void callerDoesAllWhenTheExecutorRefuses() {
    CooperativeTasks tasks =
        new CooperativeTasks(
            _ -> {
              throw new RejectedExecutionException("full");
            },
            4);
    AtomicInteger runs = new AtomicInteger();
    tasks.run(100, _ -> runs.incrementAndGet());
    assertEquals(100, runs.get());
  }

  @Test
  void callerDoesAllWhenTheExecutorNeverRuns() {
    List<Runnable> never = new ArrayList<>();
    AtomicInteger runs = new AtomicInteger();
    new CooperativeTasks(never::add, 4).run(100, _ -> runs.incrementAndGet());
    assertEquals(100, runs.get());
    never.forEach(Runnable::run); // a helper that comes too late finds nothing left
    assertEquals(100, runs.get());
  }

  @Test
  void worksOnThePoolItsCallersFill() throws Exception {
    List<Future<Integer>> callers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      callers.add(
          pool.submit(
              () -> {
                AtomicInteger runs = new AtomicInteger();
                new CooperativeTasks(pool, 3).run(50, _ -> runs.incrementAndGet());
                return runs.get();
              }));
    }
    for (Future<Integer> caller : callers) {
      assertEquals(50, caller.get());
    }
  }

  @Test
  void asksForNoMoreHelpersThanTasksNeed() {
    int[] expected = {0, 0, 1, 2, 3, 4, 4};
    for (int count = 0; count < expected.length; count++) {
      List<Runnable> asked = new ArrayList<>();
      CooperativeTasks tasks = new CooperativeTasks(asked::add, 4);
      assertEquals(5, tasks.parallelism());
      tasks.run(count, _ -> {});
      assertEquals(expected[count], asked.size(), "helpers for " + count + " tasks");
    }
  }

  @Test
  void asksForNoMoreHelpersWhileThoseAskedForWait() {
    List<Runnable> queue = new ArrayList<>();
    CooperativeTasks tasks = new CooperativeTasks(queue::add, 4);
    for (int run = 0; run < 100; run++) {
      tasks.run(3, _ -> {});
      tasks.run(100, _ -> {});
    }
    assertEquals(4, queue.size());
    queue.forEach(Runnable::run);
    tasks.run(100, _ -> {});
    assertEquals(8, queue.size(), "all may be asked for again");
  }

  @Test
  void aHelperThatWasLateHelpsWithTheRunThatItFinds() {
    List<Runnable> queue = new ArrayList<>();
    CooperativeTasks tasks = new CooperativeTasks(queue::add, 1);
    tasks.run(2, _ -> {});
    List<Integer> byHelper = new ArrayList<>();
    AtomicInteger runs = new AtomicInteger();
    tasks.run(
        10,
        i -> {
          if (i == 0) { // of the caller
            int before = runs.get();
            queue.getFirst().run();
            byHelper.add(runs.get() - before);
          }
          runs.incrementAndGet();
        });
    assertEquals(List.of(9), byHelper);
    assertEquals(10, runs.get());
  }

  @Test
  void throwsTheFailureOfTheExecutorWhenNoHelperWritesAnyMore() {
    CountDownLatch helperBegan = new CountDownLatch(1);
    AtomicInteger asked = new AtomicInteger();
    OutOfMemoryError failure = new OutOfMemoryError("no thread");
    AtomicInteger ended = new AtomicInteger();
    var thrown =
        assertThrows(
            OutOfMemoryError.class,
            () ->
                new CooperativeTasks(
                        helper -> {
                          if (asked.getAndIncrement() > 0) {
                            awaitUninterrupted(helperBegan);
                            throw failure;
                          }
                          pool.execute(helper);
                        },
                        2)
                    .run(
                        3,
                        _ -> {
                          helperBegan.countDown();
                          ended.incrementAndGet();
                        }));
    assertSame(failure, thrown);
    assertTrue(ended.get() > 0, "the helper's task has ended");
  }

  @Test
  void handsOutNoTaskAfterTheFirstFailure() {
    List<Integer> begun = new ArrayList<>();
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                CooperativeTasks.CALLER_ONLY.run(
                    10,
                    i -> {
                      begun.add(i);
                      if (i == 3) {
                        throw new IllegalArgumentException("task 3");
                      }
                    }));
    assertEquals("task 3", e.getMessage());
    assertEquals(List.of(0, 1, 2, 3), begun);
  }

  @Test
  void looksBeforeEveryTaskWhetherItIsWanted() {
    List<Integer> begun = new ArrayList<>();
    CooperativeTasks tasks =
        new CooperativeTasks(
            Runnable::run,
            0,
            () -> {
              if (begun.size() == 3) {
                throw new IllegalStateException("unwanted");
              }
            });
    var e = assertThrows(IllegalStateException.class, () -> tasks.run(10, begun::add));
    assertEquals("unwanted", e.getMessage());
    assertEquals(List.of(0, 1, 2), begun);
  }

  @Test
  void throwsTheFailureOfAHelperOnTheCaller() {
    Thread caller = Thread.currentThread();
    CountDownLatch helperBegan = new CountDownLatch(1);
    StackOverflowError failure = new StackOverflowError("on a helper");
    var thrown =
        assertThrows(
            StackOverflowError.class,
            () ->
                new CooperativeTasks(pool, 1)
                    .run(
                        2,
                        _ -> {
                          if (Thread.currentThread() != caller) {
                            helperBegan.countDown();
                            throw failure;
                          }
                          awaitUninterrupted(helperBegan);
                        }));
    assertSame(failure, thrown);
  }

  @Test
  void wrapsACheckedExceptionThatATaskSneaksOut() {
    IOException failure = new IOException("disk");
    var thrown =
        assertThrows(
            IllegalStateException.class,
            () -> CooperativeTasks.CALLER_ONLY.run(1, _ -> sneak(failure)));
    assertSame(failure, thrown.getCause());
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void sneak(Throwable failure) throws T {
    throw (T) failure;
  }

  @Test
  void waitsForBegunTasksThroughAnInterruptAndKeepsIt() throws Exception {
    CountDownLatch helperBegan = new CountDownLatch(1);
    CountDownLatch helperMayEnd = new CountDownLatch(1);
    boolean[] written = new boolean[2];
    boolean[] seen = new boolean[3]; // both tasks' results, and the interrupt
    Thread caller =
        new Thread(
            () -> {
              Thread thread = Thread.currentThread();
              new CooperativeTasks(pool, 1)
                  .run(
                      2,
                      i -> {
                        if (Thread.currentThread() == thread) {
                          awaitUninterrupted(helperBegan);
                        } else {
                          helperBegan.countDown();
                          awaitUninterrupted(helperMayEnd);
                        }
                        written[i] = true;
                      });
              seen[0] = written[0];
              seen[1] = written[1];
              seen[2] = Thread.interrupted();
            });
    caller.start();
    helperBegan.await();
    while (caller.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    caller.interrupt();
    caller.join(50);
    assertTrue(caller.isAlive(), "the caller left while a helper was writing");
    helperMayEnd.countDown();
    caller.join();
    assertEquals("[true, true, true]", Arrays.toString(seen));
  }

  @Test
  void leavesNoInterruptWhereNoneWas() {
    new CooperativeTasks(pool, 3).run(100, _ -> {});
    assertFalse(Thread.currentThread().isInterrupted());
  }

  @Test
  void rejectsNegativeHelpers() {
    var e = assertThrows(IllegalArgumentException.class, () -> new CooperativeTasks(pool, -1));
    assertEquals("helpers must be at least 0; got -1", e.getMessage());
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
