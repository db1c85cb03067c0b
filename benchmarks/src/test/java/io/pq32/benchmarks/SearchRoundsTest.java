package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SearchRoundsTest {
  @ParameterizedTest
  @CsvSource({"1, 50, 1", "1, 99, 1", "4, 50, 2", "5, 50, 3", "100, 99, 99", "101, 99, 100"})
  void percentileIsTheNearestRank(int count, int percent, long expected) {
    long[] sorted = new long[count];
    for (int i = 0; i < count; i++) {
      sorted[i] = i + 1;
    }
    assertEquals(expected, SearchRounds.percentile(sorted, percent));
  }
}
