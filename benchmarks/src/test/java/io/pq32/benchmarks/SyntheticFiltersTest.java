package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyntheticFiltersTest {
  @TempDir Path folder;

  private Dataset data;
  private FilterSet filters;

  @BeforeEach
  void make() throws Exception {
    data =
        Dataset.generate(
            new Dataset.Synthetic(2000, 30, 32),
            new Dataset.Selection(1500, Integer.MAX_VALUE, 42, 10),
            folder,
            folder.resolve("cache"),
            Arena.ofAuto(),
            TestFiles.QUIET);
    filters = SyntheticFilters.of(data, 10, 42, TestFiles.QUIET);
  }

  @Test
  void randomSharesAreNested() {
    BitSet smaller = new BitSet();
    for (FilterCase filter : filters.cases().subList(0, 7)) {
      BitSet accepted = filter.filters().getFirst().accepted();
      BitSet missing = (BitSet) smaller.clone();
      missing.andNot(accepted);
      assertTrue(missing.isEmpty(), filter.name());
      smaller = accepted;
    }
    assertEquals(1485, smaller.cardinality()); // 99 %
  }

  /** Were the filter independent of the query, half of its nearest neighbors would pass. */
  @Test
  void farHalfLeavesOutWhatIsNearTheQuery() {
    FilterCase far = filters.cases().getLast();
    assertEquals(SyntheticFilters.FAR, far.name());
    int passing = 0;
    for (int q = 0; q < data.queries().size(); q++) {
      for (int rank = 0; rank < 10; rank++) {
        if (far.filters().get(q).accepted().get(data.truth().neighbors()[q][rank])) {
          passing++;
        }
      }
    }
    assertTrue(passing < 0.2 * 10 * data.queries().size(), "passing: " + passing);
  }

  @Test
  void truthIsTheNearestOfWhatPasses() {
    for (FilterCase filter : filters.cases()) {
      for (int q = 0; q < filter.data().queries().size(); q++) {
        BitSet accepted = filter.filters().get(q).accepted();
        float[] query = filter.data().queries().get(q);
        int[] expected =
            accepted.stream()
                .boxed()
                .sorted(
                    (a, b) ->
                        Double.compare(
                            data.similarity().distance(query, data.base().get(a)),
                            data.similarity().distance(query, data.base().get(b))))
                .limit(10)
                .mapToInt(Integer::intValue)
                .toArray();
        assertEquals(
            Arrays.toString(expected),
            Arrays.toString(filter.data().truth().neighbors()[q]),
            filter.name());
      }
    }
  }
}
