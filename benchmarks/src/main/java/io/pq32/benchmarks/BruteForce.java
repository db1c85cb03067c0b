package io.pq32.benchmarks;

import io.pq32.quantization.PqKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.lucene.util.hnsw.NeighborQueue;

/**
 * Computes ground truth by comparing every query with every vector, on all processors, as a product
 * of matrices: a million vectors of 768 dimensions and a thousand queries take a minute.
 */
final class BruteForce {
  /** Queries that share one pass over the base: at most so many that they fit into a cache. */
  private static final int MAX_QUERIES_PER_PASS = 512;

  /** Vectors multiplied at once: enough that a pass over the queries is shared by many. */
  private static final int BLOCK_SIZE = 256;

  /**
   * Candidates kept beyond the wanted depth, because the pass compares in float and ties or
   * near-ties may leave it in the wrong order; the order among candidates is decided in double.
   */
  private static final int SLACK = 64;

  private BruteForce() {}

  /** The nearest {@code depth} of every query; ties go to the lower id. */
  static GroundTruth compute(
      VectorSet base, VectorSet queries, Similarity similarity, int depth, Progress progress)
      throws InterruptedException {
    int[][] neighbors = new int[queries.size()][];
    int processors = Runtime.getRuntime().availableProcessors();
    int perPass = Math.min(MAX_QUERIES_PER_PASS, Math.ceilDiv(queries.size(), processors));
    try (ExecutorService executor = Executors.newFixedThreadPool(processors)) {
      List<Future<?>> passes = new ArrayList<>();
      for (int from = 0; from < queries.size(); from += perPass) {
        int first = from;
        int end = Math.min(queries.size(), from + perPass);
        passes.add(
            executor.submit(
                () -> {
                  pass(base, queries, similarity, depth, first, end, neighbors, progress);
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
      int[][] neighbors,
      Progress progress) {
    int count = end - first;
    int dimension = base.dimension();
    float[] targets = transposed(queries, first, count);
    NeighborQueue[] nearest = new NeighborQueue[count];
    for (int q = 0; q < count; q++) {
      nearest[q] = new NeighborQueue(depth + SLACK, false);
    }
    float[] bounds = new float[count]; // score that the next candidate must exceed
    Arrays.fill(bounds, Float.NEGATIVE_INFINITY);
    float[] block = new float[BLOCK_SIZE * dimension];
    float[] products = new float[BLOCK_SIZE * count];
    for (int from = 0; from < base.size(); from += BLOCK_SIZE) {
      int rows = Math.min(BLOCK_SIZE, base.size() - from);
      for (int row = 0; row < rows; row++) {
        base.copy(from + row, block, row * dimension);
      }
      Arrays.fill(products, 0);
      PqKernels.instance().multiplyAdd(block, 0, rows, dimension, targets, count, products, 0);
      for (int row = 0; row < rows; row++) {
        float squares =
            PqKernels.instance().dot(block, row * dimension, block, row * dimension, dimension);
        for (int q = 0; q < count; q++) {
          float score = score(similarity, products[row * count + q], squares);
          if (score > bounds[q]) {
            nearest[q].insertWithOverflow(from + row, score);
            if (nearest[q].size() == depth + SLACK) {
              bounds[q] = nearest[q].topScore();
            }
          }
        }
      }
      progress.step((long) rows * count);
    }
    for (int q = 0; q < count; q++) {
      neighbors[first + q] =
          ordered(base, queries.get(first + q), similarity, nearest[q].nodes(), depth);
    }
  }

  /** Queries as the right factor of a product: [dimension][query]. */
  private static float[] transposed(VectorSet queries, int first, int count) {
    float[] targets = new float[queries.dimension() * count];
    float[] query = new float[queries.dimension()];
    for (int q = 0; q < count; q++) {
      queries.copy(first + q, query);
      for (int i = 0; i < query.length; i++) {
        targets[i * count + q] = query[i];
      }
    }
    return targets;
  }

  /** Grows with nearness, for one query: what is the same for all vectors is left out. */
  private static float score(Similarity similarity, float product, float squares) {
    return switch (similarity) {
      case L2 -> 2 * product - squares;
      case DOT, MIP -> product;
      case COSINE -> product / (float) Math.sqrt(squares);
    };
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
