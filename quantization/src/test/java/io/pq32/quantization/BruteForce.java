package io.pq32.quantization;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** The right answers, by looking at everything. */
public final class BruteForce {
  private BruteForce() {}

  /** The k numbers below {@code count} with the largest scores, best first, ties by number. */
  public static int[] top(int count, int k, IntToDoubleFunction score) {
    return top(count, k, score, _ -> true);
  }

  /** {@link #top(int, int, IntToDoubleFunction)} among the accepted numbers. */
  public static int[] top(int count, int k, IntToDoubleFunction score, IntPredicate accepted) {
    double[] scores = new double[count];
    Arrays.setAll(scores, score);
    return IntStream.range(0, count)
        .filter(accepted)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> -scores[i]))
        .limit(k)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /** Share of the expected numbers that were found; 1 when none was expected. */
  public static double recall(int[] expected, int[] found) {
    Set<Integer> set = new HashSet<>();
    for (int i : found) {
      set.add(i);
    }
    return expected.length == 0
        ? 1
        : (double) Arrays.stream(expected).filter(set::contains).count() / expected.length;
  }
}
