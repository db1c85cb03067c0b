package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.ConcurrentMergeScheduler;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexFileNames;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.MergePolicy;
import org.apache.lucene.index.MergeScheduler;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.util.InfoStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A merge takes the threads that its scheduler has for it, and none for granted. */
@ExtendWith(SeededRandom.class)
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ParallelMergeTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;

  /** Both segments are too small for codes: the merge trains, encodes, and builds a graph. */
  private static final Pq32HnswConfig CONFIG =
      Storage.codes().withMinQuantizedCount(1500).withGraphThreshold(1500);

  private static MergeScheduler serial(Executor executor) {
    return new SerialMergeScheduler() {
      @Override
      public Executor getIntraMergeExecutor(MergePolicy.OneMerge merge) {
        return executor;
      }
    };
  }

  private static IndexWriter twoSegments(
      Directory directory, float[][] vectors, MergeScheduler scheduler, InfoStream infoStream)
      throws IOException {
    IndexWriter writer =
        new IndexWriter(
            directory,
            VectorIndex.mergingConfig(new Pq32HnswVectorsFormat(CONFIG))
                .setMergeScheduler(scheduler)
                .setInfoStream(infoStream));
    VectorIndex.add(writer, vectors, 0, vectors.length / 2, SIMILARITY);
    writer.flush();
    VectorIndex.add(writer, vectors, vectors.length / 2, vectors.length, SIMILARITY);
    writer.commit();
    return writer;
  }

  /** What the merge wrote into our files, without headers, which name the segment, and footers. */
  private static Map<String, byte[]> merge(float[][] vectors, Executor executor)
      throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          twoSegments(directory, vectors, serial(executor), InfoStream.NO_OUTPUT)) {
        writer.forceMerge(1);
      }
      for (String name : directory.listAll()) {
        String extension = String.valueOf(IndexFileNames.getExtension(name));
        if (extension.matches("veq|vemq|vex|vem")) {
          try (IndexInput in = directory.openInput(name, IOContext.DEFAULT)) {
            int header = headerLength(in);
            byte[] bytes = new byte[(int) in.length() - header - CodecUtil.footerLength()];
            in.seek(header);
            in.readBytes(bytes, 0, bytes.length);
            files.put(extension, bytes);
          }
        }
      }
    }
    assertEquals(4, files.size());
    assertTrue(files.get("vex").length > vectors.length, "a graph");
    return files;
  }

  private static int headerLength(IndexInput in) throws IOException {
    in.seek(Integer.BYTES);
    in.readString();
    in.skipBytes(Integer.BYTES + 16);
    in.skipBytes(in.readByte() & 0xFF);
    return (int) in.getFilePointer();
  }

  private static void assertSameFiles(Map<String, byte[]> expected, Map<String, byte[]> actual) {
    expected.forEach((name, bytes) -> assertArrayEquals(bytes, actual.get(name), name));
  }

  @Test
  void writesTheSameBytesWithAnyNumberOfThreads(Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, 2500, 24, 20, 0.5);
    Map<String, byte[]> expected = merge(vectors, null);
    for (int threads : new int[] {1, 4}) {
      AtomicInteger helped = new AtomicInteger();
      try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
        assertSameFiles(
            expected,
            merge(
                vectors,
                helper -> {
                  helped.incrementAndGet();
                  pool.execute(helper);
                }));
      }
      assertTrue(helped.get() > 10, helped + " calls for help");
    }
  }

  @Test
  void doesItAllWhereThePoolIsBusyOrRefuses(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 2000, 24);
    Map<String, byte[]> expected = merge(vectors, null);
    CountDownLatch merged = new CountDownLatch(1);
    AtomicInteger waiting = new AtomicInteger();
    try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
      for (int i = 0; i < 2; i++) {
        pool.execute(
            () -> {
              try {
                merged.await();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
      }
      assertSameFiles(
          expected,
          merge(
              vectors,
              helper -> {
                waiting.incrementAndGet();
                pool.execute(helper);
              }));
      merged.countDown();
    }
    assertTrue(waiting.get() <= 7, waiting + " helpers in the queue of a busy pool");
    assertSameFiles(
        expected,
        merge(
            vectors,
            _ -> {
              throw new RejectedExecutionException("full");
            }));
  }

  @Test
  void endsOnThePoolWhoseThreadsItMayAskFor(Random random) throws Exception {
    float[][] vectors = Vectors.gaussian(random, 2000, 24);
    Map<String, byte[]> expected = merge(vectors, null);
    try (ExecutorService pool = Executors.newFixedThreadPool(1)) {
      assertSameFiles(expected, pool.submit(() -> merge(vectors, pool)).get());
    }
  }

  @Test
  void endsSoonAfterAnAbortInTheMiddleOfTheGraph(Random random) throws Exception {
    float[][] vectors = Vectors.gaussian(random, 6000, 24);
    AtomicInteger callsForGraph = new AtomicInteger(Integer.MIN_VALUE); // counted from "copied" on
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch aborted = new CountDownLatch(1);
    AtomicInteger callsAfterAbort = new AtomicInteger();
    InfoStream infoStream =
        new InfoStream() {
          @Override
          public void message(String component, String message) {
            if (component.equals(CodebookPolicy.INFO_COMPONENT) && message.contains("copied")) {
              callsForGraph.set(0);
            } else if (message.startsWith("now wait for 1 running merge")) {
              aborted.countDown(); // the merge has been told
            }
          }

          @Override
          public boolean isEnabled(String component) {
            return true;
          }

          @Override
          public void close() {}
        };
    try (Directory directory = new ByteBuffersDirectory();
        ExecutorService pool = Executors.newFixedThreadPool(2)) {
      Executor holding =
          helper -> {
            if (callsForGraph.incrementAndGet() > 20) {
              held.countDown();
              try {
                aborted.await();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
              callsAfterAbort.incrementAndGet();
            }
            pool.execute(helper);
          };
      ConcurrentMergeScheduler scheduler =
          new ConcurrentMergeScheduler() {
            @Override
            public Executor getIntraMergeExecutor(MergePolicy.OneMerge merge) {
              return holding;
            }
          };
      IndexWriter writer = twoSegments(directory, vectors, scheduler, infoStream);
      writer.forceMerge(1, false);
      held.await();
      writer.rollback(); // returns when the merge has ended
      // The rest of the batch: choosing links, and linking back.
      assertTrue(callsAfterAbort.get() <= 14, callsAfterAbort + " calls for help after the abort");
      assertTrue(callsAfterAbort.get() > 0, "ended before the abort");
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertEquals(2, reader.leaves().size());
        assertEquals(6000, reader.numDocs());
      }
      assertTrue(Arrays.stream(directory.listAll()).noneMatch(name -> name.startsWith("_2")));
    }
  }

  /** Merges at the same time that share the threads which may help them. */
  private static final int MERGES = 8;

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void manyMergesShareAPoolThatIsTooSmallForThem(int threads, Random random) throws Exception {
    float[][] vectors = Vectors.gaussian(random, 2000, 24);
    Map<String, byte[]> expected = merge(vectors, null);
    int rounds = Effort.of(1, 10);
    try (ThreadPoolExecutor pool =
            new ThreadPoolExecutor(
                threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
        ExecutorService mergers = Executors.newFixedThreadPool(MERGES)) {
      AtomicInteger longest = new AtomicInteger();
      Executor executor =
          helper -> {
            pool.execute(helper);
            longest.accumulateAndGet(pool.getQueue().size(), Math::max);
          };
      for (int round = 0; round < rounds; round++) {
        List<Future<Map<String, byte[]>>> merges = new ArrayList<>();
        for (int i = 0; i < MERGES; i++) {
          merges.add(mergers.submit(() -> merge(vectors, executor)));
        }
        for (Future<Map<String, byte[]>> merge : merges) {
          assertSameFiles(expected, merge.get());
        }
      }
      assertTrue(pool.getCompletedTaskCount() > MERGES, pool + " helped");
      // So another user of the pool gets a thread after one step of each helper, at the latest.
      assertTrue(longest.get() <= 7 * MERGES, longest + " helpers in the queue");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void manyMergesRunOnThePoolThatIsToHelpThem(int threads, Random random) throws Exception {
    float[][] vectors = Vectors.gaussian(random, 2000, 24);
    Map<String, byte[]> expected = merge(vectors, null);
    int rounds = Effort.of(1, 10);
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      for (int round = 0; round < rounds; round++) {
        List<Future<Map<String, byte[]>>> merges = new ArrayList<>();
        for (int i = 0; i < MERGES; i++) {
          merges.add(pool.submit(() -> merge(vectors, pool)));
        }
        for (Future<Map<String, byte[]>> merge : merges) {
          assertSameFiles(expected, merge.get());
        }
      }
    }
  }
}
