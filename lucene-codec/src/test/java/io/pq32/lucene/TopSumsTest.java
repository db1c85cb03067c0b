package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.PqKernels;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.SeededRandom;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class TopSumsTest {
  private static final int LARGEST = PqLayout.MAX_SUB_QUANTIZERS * PqKernels.MAX_LEVEL;

  private static int[] offered(TopSums top, int[] sums) {
    for (int i = 0; i < sums.length; i++) {
      top.offer(i, (short) sums[i]);
    }
    return top.drain().ords();
  }

  /** Fails unless the best are kept, the limit or more of them, equals in the order offered. */
  private static int[] assertKeepsTheBest(int[] sums, int limit) {
    int[] kept = offered(new TopSums(limit, PqLayout.MAX_SUB_QUANTIZERS), sums);
    assertTrue(kept.length >= Math.min(limit, sums.length), kept.length + " of " + limit);
    int[] best = BruteForce.top(sums.length, kept.length, i -> sums[i]);
    assertArrayEquals(best, kept, limit + " of " + sums.length);
    return kept;
  }

  private static int[] sums(int count, IntUnaryOperator sum) {
    return IntStream.range(0, count).map(sum).toArray();
  }

  /** Few distinct sums make ties, few limits make sweeps. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 50, 4000, LARGEST + 1})
  void keepsWhatSortingKeeps(int distinct, Random random) {
    for (int round = 0; round < 60; round++) {
      int count = random.nextInt(9000);
      int limit = 1 + random.nextInt(random.nextBoolean() ? 20 : 5000);
      int[] sums = sums(count, _ -> random.nextInt(distinct));
      assertKeepsTheBest(sums, limit);
    }
  }

  @Test
  void keepsTheBestOfAscendingSums() {
    // Every one enters: the array is swept time and again.
    int[] sums = sums(LARGEST, i -> i);
    for (int limit : new int[] {1, 10, 1000, LARGEST, LARGEST + 10}) {
      assertKeepsTheBest(sums, limit);
    }
  }

  @Test
  void keepsTheBestOfDescendingSums() {
    int[] sums = sums(LARGEST, i -> LARGEST - i);
    for (int limit : new int[] {1, 10, 1000, LARGEST, LARGEST + 10}) {
      assertKeepsTheBest(sums, limit);
    }
  }

  @Test
  void amongEqualSumsTheFirstOfferedWin() {
    for (int sum : new int[] {0, 1, LARGEST}) {
      int[] sums = sums(20_000, _ -> sum);
      int[] kept = assertKeepsTheBest(sums, 100);
      assertArrayEquals(IntStream.range(0, kept.length).toArray(), kept);
    }
  }

  @Test
  void aRunOfTiesBeforeBetterSumsIsDropped() {
    int[] sums = sums(10_000, i -> i < 5000 ? 7 : 8);
    int[] kept = assertKeepsTheBest(sums, 300);
    assertArrayEquals(IntStream.range(5000, 5000 + kept.length).toArray(), kept);
  }

  @Test
  void nothingOfferedIsNothingKept() {
    assertEquals(0, new TopSums(5, PqLayout.MAX_SUB_QUANTIZERS).drain().count());
  }

  @Test
  void fewerThanTheLimitAreAllKept() {
    assertArrayEquals(new int[] {1, 2, 0}, assertKeepsTheBest(new int[] {0, 9, 4}, 10));
    assertEquals(-1, new TopSums(1, PqLayout.MAX_SUB_QUANTIZERS).threshold());
  }

  @Test
  void whatDoesNotExceedTheThresholdCouldNotHaveEntered(Random random) {
    for (int round = 0; round < 20; round++) {
      int limit = 1 + random.nextInt(60);
      TopSums top = new TopSums(limit, PqLayout.MAX_SUB_QUANTIZERS);
      int[] sums = sums(3000, _ -> random.nextInt(400));
      for (int i = 0; i < sums.length; i++) {
        // A scan drops these before they are offered.
        if (sums[i] <= top.threshold()) {
          int sum = sums[i];
          long atLeast = Arrays.stream(sums, 0, i).filter(s -> s >= sum).count();
          assertTrue(atLeast >= limit, "threshold " + top.threshold() + " at " + i);
        } else {
          top.offer(i, (short) sums[i]);
        }
      }
      int[] kept = top.drain().ords();
      assertArrayEquals(BruteForce.top(sums.length, kept.length, i -> sums[i]), kept);
    }
  }

  @Test
  void aListUsedBeforeKeepsWhatANewOneKeeps(Random random) {
    TopSums used = new TopSums(1000, PqLayout.MAX_SUB_QUANTIZERS);
    for (int round = 0; round < 50; round++) {
      int limit = 1 + random.nextInt(1000);
      int[] sums = sums(random.nextInt(9000), _ -> random.nextInt(LARGEST + 1));
      assertTrue(used.reset(limit));
      assertArrayEquals(
          offered(new TopSums(limit, PqLayout.MAX_SUB_QUANTIZERS), sums), offered(used, sums));
    }
    assertFalse(used.reset(1001));
  }
}
