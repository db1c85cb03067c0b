package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.CooperativeTasks;
import io.pq32.quantization.Metric;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.PqTrainer;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.util.InfoStream;
import org.apache.lucene.util.hnsw.RandomVectorScorerSupplier;
import org.apache.lucene.util.hnsw.UpdateableRandomVectorScorer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class GraphBuilderTest {
  private static final Pq32HnswConfig CONFIG = Pq32HnswConfig.DEFAULT.withGraph(8, 40);

  /** Vectors on their way into a segment. */
  private record Input(float[][] vectors, ProductQuantizer quantizer, MemorySegment codesByOrd) {
    static Input of(float[][] vectors) throws IOException {
      ProductQuantizer quantizer =
          PqTrainer.train(
              Vectors.source(vectors),
              PqLayout.pq32(vectors[0].length),
              Metric.EUCLIDEAN,
              1,
              CooperativeTasks.CALLER_ONLY);
      MemorySegment codes = Arena.ofAuto().allocate(vectors.length * 32L, 64);
      for (int ord = 0; ord < vectors.length; ord++) {
        MemorySegment.copy(quantizer.encode(vectors[ord]), 0, codes, JAVA_BYTE, ord * 32L, 32);
      }
      return new Input(vectors, quantizer, codes);
    }

    FloatVectorValues values() {
      return FloatVectorValues.fromFloats(List.of(vectors), vectors[0].length);
    }

    RandomVectorScorerSupplier scorers() throws IOException {
      return new RawVectors(CONFIG).scorers(VectorSimilarityFunction.EUCLIDEAN, values());
    }

    int[] order(CooperativeTasks tasks) {
      return LocalityOrder.nodeToOrd(quantizer, codesByOrd, vectors.length, tasks);
    }

    CodeBlocks blocks(int[] nodeToOrd) throws IOException {
      return BlocksWriter.inMemory(Arena.ofAuto(), quantizer, codesByOrd, nodeToOrd);
    }

    BuiltGraph graph(int[] nodeToOrd, CooperativeTasks tasks) throws IOException {
      return graph(nodeToOrd, new int[0], tasks);
    }

    BuiltGraph graph(int[] nodeToOrd, int[] outliers, CooperativeTasks tasks) throws IOException {
      return new GraphBuilder(
              values(),
              scorers(),
              quantizer,
              blocks(nodeToOrd),
              nodeToOrd,
              outliers,
              null,
              CONFIG,
              tasks)
          .build(InfoStream.NO_OUTPUT);
    }
  }

  private static int[] neighbors(BuiltGraph graph, int node) {
    int[] neighbors = new int[graph.maxDegree()];
    int count = graph.neighbors(node, neighbors);
    return Arrays.copyOf(neighbors, count);
  }

  @Test
  void isTheSameForAnyNumberOfThreads(Random random) throws IOException {
    Input input = Input.of(Vectors.clustered(random, 3000, 24, 20, 0.5));
    int[] order = input.order(CooperativeTasks.CALLER_ONLY);
    BuiltGraph expected = input.graph(order, CooperativeTasks.CALLER_ONLY);
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      for (int helpers : new int[] {1, 4}) {
        CooperativeTasks tasks = new CooperativeTasks(pool, helpers);
        assertArrayEquals(order, input.order(tasks));
        BuiltGraph graph = input.graph(order, tasks);
        for (int node = 0; node < order.length; node++) {
          assertArrayEquals(neighbors(expected, node), neighbors(graph, node), "node " + node);
        }
      }
    }
  }

  /** Only those that they choose themselves link back. */
  @Test
  void linksToOutliersFromFew(Random random) throws IOException {
    Input input = Input.of(Vectors.gaussian(random, 3000, 24));
    int[] order = input.order(CooperativeTasks.CALLER_ONLY);
    int[] degrees = linksTo(input.graph(order, CooperativeTasks.CALLER_ONLY));
    int[] nodes = BruteForce.top(order.length, 5, node -> degrees[node]); // chosen by most
    int[] outliers = Arrays.stream(nodes).map(node -> order[node]).sorted().toArray();
    int[] without = linksTo(input.graph(order, outliers, CooperativeTasks.CALLER_ONLY));
    for (int node : nodes) {
      assertTrue(degrees[node] > 3 * CONFIG.maxConn(), degrees[node] + " links to " + node);
      assertTrue(without[node] <= CONFIG.maxConn(), without[node] + " links to " + node);
      assertTrue(without[node] > 0, "none to " + node);
    }
  }

  private static int[] linksTo(BuiltGraph graph) {
    int[] links = new int[3000];
    for (int node = 0; node < links.length; node++) {
      for (int neighbor : neighbors(graph, node)) {
        links[neighbor]++;
      }
    }
    return links;
  }

  @Test
  void throwsWhatAHelperThrew(Random random) throws IOException {
    Input input = Input.of(Vectors.gaussian(random, 2000, 12));
    int[] order = input.order(CooperativeTasks.CALLER_ONLY);
    Thread caller = Thread.currentThread();
    IOException failure = new IOException("cannot read vector");
    RandomVectorScorerSupplier scorers = input.scorers();
    RandomVectorScorerSupplier failing =
        new RandomVectorScorerSupplier() {
          @Override
          public UpdateableRandomVectorScorer scorer() throws IOException {
            if (Thread.currentThread() != caller) {
              throw failure;
            }
            return scorers.scorer();
          }

          @Override
          public RandomVectorScorerSupplier copy() {
            return this;
          }
        };
    CooperativeTasks tasks = new CooperativeTasks(GraphBuilderTest::runOnAnotherThread, 1);
    GraphBuilder builder =
        new GraphBuilder(
            input.values(),
            failing,
            input.quantizer,
            input.blocks(order),
            order,
            new int[0],
            null,
            CONFIG,
            tasks);
    var thrown = assertThrows(IOException.class, () -> builder.build(InfoStream.NO_OUTPUT));
    assertSame(failure, thrown);
  }

  /** Returns when it has run: the caller comes too late to do any of it. */
  private static void runOnAnotherThread(Runnable helper) {
    Thread thread = new Thread(helper);
    thread.start();
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void linksOtherNodesOnceEach(Random random) throws IOException {
    for (int size : new int[] {1, 2, 40, 255, 256, 257, 1500}) {
      Input input = Input.of(Vectors.gaussian(random, size, 12));
      BuiltGraph graph =
          input.graph(input.order(CooperativeTasks.CALLER_ONLY), CooperativeTasks.CALLER_ONLY);
      for (int node = 0; node < size; node++) {
        int self = node;
        int[] neighbors = neighbors(graph, node);
        assertTrue(neighbors.length <= GraphMeta.maxDegree(CONFIG.maxConn()));
        assertTrue(size == 1 || neighbors.length > 0, "node " + node + " of " + size);
        assertTrue(
            Arrays.stream(neighbors).allMatch(n -> n >= 0 && n < size && n != self),
            "neighbors of " + node + " of " + size + ": " + Arrays.toString(neighbors));
        assertEquals(neighbors.length, Arrays.stream(neighbors).distinct().count());
      }
    }
  }

  @Test
  void linksTheNearest(Random random) throws IOException {
    Input input = Input.of(Vectors.anisotropic(random, 2000, 32));
    int[] order = input.order(CooperativeTasks.CALLER_ONLY);
    BuiltGraph graph = input.graph(order, CooperativeTasks.CALLER_ONLY);
    int linked = 0;
    int nodes = 0;
    for (int node = 0; node < order.length; node += 20) {
      float[] vector = input.vectors[order[node]];
      int self = node;
      int nearest =
          BruteForce.top(
              order.length,
              1,
              other -> -Vectors.squareDistance(vector, input.vectors[order[other]]),
              other -> other != self)[0];
      linked += IntStream.of(neighbors(graph, node)).anyMatch(n -> n == nearest) ? 1 : 0;
      nodes++;
    }
    // Not all: the nearest may have nearer ones in other directions, and not link back.
    assertTrue(linked >= 0.85 * nodes, linked + " of " + nodes + " link to their nearest");
  }

  @Test
  void nearVectorsAreNumberedTogether(Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, 4000, 24, 3, 0.3); // 16 leaders rarely miss one
    int[] order = Input.of(vectors).order(CooperativeTasks.CALLER_ONLY);
    assertArrayEquals(IntStream.range(0, 4000).toArray(), Arrays.stream(order).sorted().toArray());
    double ofNodes = 0;
    double ofOrds = 0;
    for (int i = 1; i < order.length; i++) {
      ofNodes += Vectors.squareDistance(vectors[order[i]], vectors[order[i - 1]]);
      ofOrds += Vectors.squareDistance(vectors[i], vectors[i - 1]);
    }
    assertTrue(ofNodes < 0.75 * ofOrds, ofNodes / ofOrds + " of the distance of ordinals");
  }

  @Test
  void looksAtTheAbortCheckAllTheTime(Random random) throws IOException {
    Input input = Input.of(Vectors.gaussian(random, 2000, 12));
    int[] order = input.order(CooperativeTasks.CALLER_ONLY);
    List<Integer> checks = new ArrayList<>();
    input.graph(order, new CooperativeTasks(Runnable::run, 0, () -> checks.add(1)));
    assertTrue(checks.size() >= 8, checks.size() + " looks");
    IOException abort = new IOException("aborted");
    for (int last : new int[] {1, checks.size() / 2, checks.size()}) {
      int[] count = new int[1];
      var thrown =
          assertThrows(
              IOException.class,
              () ->
                  input.graph(
                      order,
                      new CooperativeTasks(
                          Runnable::run,
                          0,
                          () -> {
                            if (++count[0] == last) {
                              throw new UncheckedIOException(abort);
                            }
                          })));
      assertSame(abort, thrown);
    }
  }
}
