package io.pq32.benchmarks;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What share of the true k nearest, or of all neighbors where there are fewer, did a search find? A
 * hit counts when it is as near as the k-th true neighbor, whatever its id: vectors of bytes have
 * many equal distances, and which of them a list of ids names is chance.
 */
final class RecallCounter {
  private final Dataset data;
  private final int[] wanted; // [query]
  private final double[] worst; // [query], distance of the farthest of the true k

  RecallCounter(Dataset data, int k) {
    this.data = data;
    this.worst = new double[data.queries().size()];
    this.wanted = new int[worst.length];
    for (int q = 0; q < worst.length; q++) {
      float[] query = data.queries().get(q);
      // The farthest in double precision: truth computed in float may order near-ties otherwise.
      worst[q] = Double.NEGATIVE_INFINITY;
      wanted[q] = Math.min(k, data.truth().neighbors()[q].length);
      for (int rank = 0; rank < wanted[q]; rank++) {
        worst[q] = Math.max(worst[q], distance(query, data.truth().neighbors()[q][rank]));
      }
    }
  }

  /** Recall over all queries of the hits given as base ids: [query][rank]. */
  double recall(int[][] hits) {
    long found = 0;
    for (int q = 0; q < worst.length; q++) {
      float[] query = data.queries().get(q);
      double bound = worst[q];
      found +=
          Arrays.stream(hits[q])
              .limit(wanted[q])
              .distinct()
              .filter(id -> distance(query, id) <= bound)
              .count();
    }
    return (double) found / IntStream.of(wanted).asLongStream().sum();
  }

  private double distance(float[] query, int id) {
    return data.similarity().distance(query, data.base().get(id));
  }
}
