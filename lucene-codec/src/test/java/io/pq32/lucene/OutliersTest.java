package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(SeededRandom.class)
class OutliersTest {
  /** Finds some lists, one after the other; sums are ordinals below zero. */
  private static final class Lists implements CandidateSource {
    private final Iterator<int[]> lists;

    Lists(List<int[]> lists) {
      this.lists = lists.iterator();
    }

    @Override
    public Candidates next() {
      if (!lists.hasNext()) {
        return Candidates.NONE;
      }
      int[] ords = lists.next();
      short[] sums = new short[ords.length];
      IntStream.range(0, ords.length).forEach(i -> sums[i] = (short) -ords[i]);
      return new Candidates(ords, sums);
    }

    @Override
    public boolean exhaustive() {
      return false;
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "64, 64", "65, 64", "66560, 65", "1000000, 976", "2147483647, 2097151"})
  void areFew(int size, int limit) {
    assertEquals(limit, Outliers.limit(size));
  }

  @Test
  void areLongerThanAnyCodeCanTell() {
    Outliers outliers = new Outliers(100);
    outliers.consider(3, Math.nextUp(1.0f));
    outliers.consider(5, 1);
    outliers.consider(8, Double.NaN); // of equal vectors, whose codes are exact
    outliers.consider(2, Double.POSITIVE_INFINITY);
    assertArrayEquals(new int[] {2, 3}, outliers.ords());
  }

  @Test
  void areTheLongestOfTooMany(Random random) {
    double[] reach = random.doubles(500, 0, 10).toArray();
    Outliers outliers = new Outliers(reach.length);
    for (int ord = 0; ord < reach.length; ord++) {
      outliers.consider(ord, reach[ord]);
    }
    int[] longest = BruteForce.top(reach.length, 64, ord -> (float) reach[ord]);
    Arrays.sort(longest);
    assertArrayEquals(longest, outliers.ords());
  }

  @Test
  void areNoCandidatesAnyMore() throws IOException {
    CandidateSource source =
        Outliers.excluded(new int[] {4, 7}, new Lists(List.of(new int[] {7, 1, 4, 9})));
    Candidates first = source.next();
    assertArrayEquals(new int[] {1, 9}, first.ords());
    assertArrayEquals(new short[] {-1, -9}, first.sums());
    assertEquals(0, source.next().count());
  }

  @Test
  void doNotEndASearchWhereNothingElseIsFoundAtFirst() throws IOException {
    CandidateSource source =
        Outliers.excluded(new int[] {4, 7}, new Lists(List.of(new int[] {7, 4}, new int[] {2})));
    assertArrayEquals(new int[] {2}, source.next().ords());
    assertEquals(0, source.next().count());
    assertFalse(source.exhaustive());
  }

  @Test
  void costNothingWhereThereAreNone() {
    CandidateSource source = new Lists(List.of());
    assertSame(source, Outliers.excluded(new int[0], source));
  }
}
