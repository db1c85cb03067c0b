package io.pq32.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.lucene.util.hnsw.NeighborQueue;

/** Computes ground truth by comparing every query with every vector, on all processors. */
final class BruteForce {
  /** Queries that share one pass over the base: enough that copying a vector does not count. */
  private static final int QUERIES_PER_PASS = 32;

  /**
   * Candidates kept beyond the wanted depth, because the pass compares in float and ties or
   * near-ties may leave it in the wrong order; the order among candidates is decided in double.
   */
  private static final int SLACK = 32;

  private BruteForce() {}

  /** The nearest {@code depth} of every query; ties go to the lower id. */
  static GroundTruth compute(
      VectorSet base, VectorSet queries, Similarity similarity, int depth, Progress progress)
      throws InterruptedException {
    int[][] neighbors = new int[queries.size()][];
    try (ExecutorService executor =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
      List<Future<?>> passes = new ArrayList<>();
      for (int from = 0; from < queries.size(); from += QUERIES_PER_PASS) {
        int first = from;
        int end = Math.min(queries.size(), from + QUERIES_PER_PASS);
        passes.add(
            executor.submit(
                () -> {
                  pass(base, queries, similarity, depth, first, end, neighbors);
                  progress.step(end - first);
                }));
      }
      for (Future<?> pass : passes) {
        pass.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("brute force failed", e.getCause());
    }
    return new GroundTruth(neighbors);
  }

  private static void pass(
      VectorSet base,
      VectorSet queries,
      Similarity similarity,
      int depth,
      int first,
      int end,
      int[][] neighbors) {
    float[][] targets = new float[end - first][];
    NeighborQueue[] nearest = new NeighborQueue[targets.length];
    for (int q = 0; q < targets.length; q++) {
      targets[q] = queries.get(first + q);
      nearest[q] = new NeighborQueue(depth + SLACK, false);
    }
    float[] vector = new float[base.dimension()];
    for (int id = 0; id < base.size(); id++) {
      base.copy(id, vector);
      for (int q = 0; q < targets.length; q++) {
        nearest[q].insertWithOverflow(id, similarity.function.compare(targets[q], vector));
      }
    }
    for (int q = 0; q < targets.length; q++) {
      neighbors[first + q] = ordered(base, targets[q], similarity, nearest[q].nodes(), depth);
    }
  }

  private static int[] ordered(
      VectorSet base, float[] target, Similarity similarity, int[] candidates, int depth) {
    record Neighbor(int id, double distance) implements Comparable<Neighbor> {
      @Override
      public int compareTo(Neighbor other) {
        int byDistance = Double.compare(distance, other.distance);
        return byDistance != 0 ? byDistance : Integer.compare(id, other.id);
      }
    }
    List<Neighbor> sorted = new ArrayList<>();
    for (int id : candidates) {
      sorted.add(new Neighbor(id, similarity.distance(target, base.get(id))));
    }
    sorted.sort(null);
    return sorted.stream().limit(depth).mapToInt(Neighbor::id).toArray();
  }
}
