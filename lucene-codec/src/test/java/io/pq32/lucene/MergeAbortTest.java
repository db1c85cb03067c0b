package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.lucene.index.ConcurrentMergeScheduler;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexFileNames;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.MergePolicy;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.FilterIndexOutput;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.util.InfoStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A merge that nobody wants any more ends soon, wherever it is. */
@ExtendWith(SeededRandom.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MergeAbortTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;

  /** Holds the merge at a message of ours until the writer has told it to stop. */
  private static final class HoldingStream extends InfoStream {
    final String held;
    final List<String> messages = Collections.synchronizedList(new ArrayList<>());
    final CountDownLatch reached = new CountDownLatch(1);
    final CountDownLatch aborted = new CountDownLatch(1);
    volatile boolean merging;

    HoldingStream(String held) {
      this.held = held;
    }

    @Override
    public void message(String component, String message) {
      if (component.equals("IW")) {
        if (message.startsWith("now wait for 1 running merge")) { // it has been told by then
          aborted.countDown();
        }
      } else if (merging) {
        messages.add(message);
        if (message.contains(held)) {
          hold();
        }
      }
    }

    void hold() {
      reached.countDown();
      try {
        aborted.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    boolean hasSaid(String message) {
      synchronized (messages) {
        return messages.stream().anyMatch(said -> said.contains(message));
      }
    }

    @Override
    public boolean isEnabled(String component) {
      return component.equals("IW") || component.equals(CodebookPolicy.INFO_COMPONENT);
    }

    @Override
    public void close() {}
  }

  /** Remembers how long the files of the merge were when they were closed. */
  private static final class Lengths extends FilterDirectory {
    final Map<String, Long> byExtension = new ConcurrentHashMap<>();

    Lengths(Directory in) {
      super(in);
    }

    @Override
    public IndexOutput createOutput(String name, IOContext context) throws IOException {
      return new FilterIndexOutput("lengths", name, in.createOutput(name, context)) {
        @Override
        public void close() throws IOException {
          if (name.startsWith("_2")) { // of the merge
            byExtension.put(String.valueOf(IndexFileNames.getExtension(name)), getFilePointer());
          }
          super.close();
        }
      };
    }
  }

  /** Rolls back while a merge of two segments of 800 is held at a message. */
  private static HoldingStream rollBackAt(
      String message, Pq32HnswConfig config, Lengths directory, Random random) throws Exception {
    HoldingStream stream = new HoldingStream(message);
    float[][] vectors = Vectors.gaussian(random, 1600, 24);
    rollBack(directory, config, vectors, null, stream);
    return stream;
  }

  /** Merges on a thread of its own, and hears of a merge that failed otherwise than by an abort. */
  private static final class Scheduler extends ConcurrentMergeScheduler {
    final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    private final Executor executor;

    /**
     * @param executor for what merges do side by side, or null for Lucene's
     */
    Scheduler(Executor executor) {
      this.executor = executor;
    }

    @Override
    public Executor getIntraMergeExecutor(MergePolicy.OneMerge merge) {
      return executor == null ? super.getIntraMergeExecutor(merge) : executor;
    }

    @Override
    protected void handleMergeException(Throwable failure) {
      failures.add(failure);
    }
  }

  private static void rollBack(
      Directory directory,
      Pq32HnswConfig config,
      float[][] vectors,
      Executor executor,
      HoldingStream stream)
      throws Exception {
    Scheduler scheduler = new Scheduler(executor);
    IndexWriter writer =
        new IndexWriter(
            directory,
            VectorIndex.mergingConfig(new Pq32HnswVectorsFormat(config))
                .setMergeScheduler(scheduler)
                .setInfoStream(stream));
    VectorIndex.add(writer, vectors, 0, vectors.length / 2, SIMILARITY);
    writer.flush();
    VectorIndex.add(writer, vectors, vectors.length / 2, vectors.length, SIMILARITY);
    writer.commit();
    stream.merging = true;
    writer.forceMerge(1, false);
    stream.reached.await();
    writer.rollback(); // returns when the merge has ended
    assertEquals(List.of(), scheduler.failures);
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      assertEquals(2, reader.leaves().size());
      assertEquals(vectors.length, reader.numDocs());
    }
  }

  /** Steps of a merge: the first one after a message is held, those after the abort are counted. */
  private static final class Steps {
    final HoldingStream stream = new HoldingStream("nothing that is said");
    private final String after;
    private final AtomicInteger steps = new AtomicInteger();

    Steps(String after) {
      this.after = after;
    }

    void step() {
      if (stream.merging
          && (after.isEmpty() || stream.hasSaid(after))
          && steps.getAndIncrement() == 0) {
        stream.hold();
      }
    }

    int afterAbort() {
      return steps.get() - 1;
    }
  }

  /** Most calls for help of one run of tasks: all that may come after an abort. */
  private static final int CALLS_PER_RUN = 7;

  private static Steps rollBackAtCallForHelp(String after, Random random) throws Exception {
    Steps calls = new Steps(after);
    float[][] vectors = Vectors.gaussian(random, 12_000, 24);
    try (Directory directory = new ByteBuffersDirectory();
        ExecutorService pool = Executors.newFixedThreadPool(2)) {
      Executor executor =
          helper -> {
            calls.step();
            pool.execute(helper);
          };
      Pq32HnswConfig config = Storage.codes().withMinQuantizedCount(vectors.length);
      rollBack(directory, config, vectors, executor, calls.stream);
    }
    return calls;
  }

  @Test
  void endsInTheMiddleOfTraining(Random random) throws Exception {
    Steps calls = rollBackAtCallForHelp("", random);
    assertEquals(List.of(), calls.stream.messages);
    assertTrue(calls.afterAbort() < CALLS_PER_RUN, calls.afterAbort() + " calls after the abort");
  }

  @Test
  void endsInTheMiddleOfTheOrder(Random random) throws Exception {
    Steps calls = rollBackAtCallForHelp("copied", random);
    assertTrue(calls.afterAbort() < CALLS_PER_RUN, calls.afterAbort() + " calls after the abort");
  }

  @Test
  void endsInTheMiddleOfEncoding(Random random) throws Exception {
    Steps reads = new Steps("trained codebook");
    float[][] vectors = Vectors.gaussian(random, 6000, 24);
    try (FaultyReads directory = new FaultyReads(new ByteBuffersDirectory())) {
      directory.before(
          file -> {
            if (file.startsWith("_2") && file.endsWith(".vec")) {
              reads.step();
            }
          });
      Pq32HnswConfig config = Storage.codes().withMinQuantizedCount(vectors.length);
      rollBack(directory, config, vectors, null, reads.stream);
    }
    assertTrue(
        reads.stream.messages.stream().noneMatch(message -> message.contains("copied")),
        "after encoding: " + reads.stream.messages);
    assertTrue(reads.afterAbort() <= 1024, reads.afterAbort() + " vectors read after the abort");
  }

  @Test
  void endsBetweenTrainingAndEncoding(Random random) throws Exception {
    try (Lengths directory = new Lengths(new ByteBuffersDirectory())) {
      Pq32HnswConfig config = Storage.codes().withMinQuantizedCount(1000);
      HoldingStream stream = rollBackAt("trained codebook", config, directory, random);
      assertEquals(1, stream.messages.size(), "after training: " + stream.messages);
    }
  }

  @Test
  void endsBetweenEncodingAndTheGraph(Random random) throws Exception {
    try (Lengths directory = new Lengths(new ByteBuffersDirectory())) {
      Pq32HnswConfig config = Storage.codes().withGraphThreshold(1000);
      HoldingStream stream = rollBackAt("copied", config, directory, random);
      assertTrue(stream.messages.getLast().contains("copied"), "" + stream.messages);
      assertTrue(directory.byExtension.get("vex") < 100, "a header: " + directory.byExtension);
    }
  }

  @Test
  void leavesNoFilesBehind(Random random) throws Exception {
    try (Lengths directory = new Lengths(new ByteBuffersDirectory())) {
      rollBackAt("copied", Storage.codes(), directory, random);
      for (String name : directory.listAll()) {
        assertFalse(name.startsWith("_2"), name + " of the merge");
      }
    }
  }
}
