package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SearchPlanTest {
  @ParameterizedTest
  @CsvSource({
    // codes, size, accepted, k, plan
    "NONE, 1, 1, 1, ExactScan",
    "NONE, 10000000, 10000000, 10, ExactScan",
    "BLOCKS, 60000, 60000, 10, CodeScan",
    "BLOCKS, 60000, 20000, 10, CodeScan",
    // With few accepted, a scan would meet many codes in vain.
    "BLOCKS, 60000, 5000, 10, CodeScan",
    "BLOCKS, 60000, 3500, 10, RowScan",
    "BLOCKS, 1000000, 10000, 10, RowScan",
    "BLOCKS, 1000000, 50000, 10, CodeScan",
    // The table costs what 50 vectors cost, the reranking 100, each accepted code 76 / 200.
    "BLOCKS, 60000, 242, 10, RowScan",
    "BLOCKS, 60000, 241, 10, ExactScan",
    "BLOCKS, 60000, 1, 10, ExactScan",
    "BLOCKS, 100, 100, 10, ExactScan",
    "BLOCKS, 3000, 3000, 10, CodeScan",
    // Who wants all gets all scored.
    "BLOCKS, 60000, 60000, 2147483647, ExactScan",
    "BLOCKS, 60000, 60000, 20000, ExactScan",
    "GRAPH, 1000000, 1000000, 10, GraphWalk",
    "GRAPH, 1000000, 500000, 10, GraphWalk",
    // With few accepted, a walk would meet them too rarely.
    "GRAPH, 1000000, 50000, 10, RowScan",
    "GRAPH, 1000000, 1000, 10, RowScan",
    "GRAPH, 1000000, 150, 10, ExactScan",
    "GRAPH, 1000000, 1, 10, ExactScan",
    "GRAPH, 1000000, 1000000, 10000, RowScan",
    "GRAPH, 1000000, 1000000, 2147483647, ExactScan",
    "GRAPH, 150, 150, 10, ExactScan",
  })
  void choosesTheCheapest(SearchPlan.Codes codes, int size, int accepted, int k, String plan) {
    assertEquals(
        plan,
        SearchPlan.of(SearchPlan.Costs.MEASURED, codes, size, accepted, k)
            .getClass()
            .getSimpleName());
  }

  @Test
  void aWalkIsAsWideAsTheFilterIsNarrow() {
    int depth = Reranker.depth(10);
    assertEquals(new SearchPlan.GraphWalk(depth), graphPlan(1_000_000, 1_000_000));
    assertEquals(new SearchPlan.GraphWalk(2 * depth), graphPlan(1_000_000, 500_000));
    assertEquals(new SearchPlan.GraphWalk(4 * depth), graphPlan(1_000_000, 250_000));
  }

  private static SearchPlan graphPlan(int size, int accepted) {
    return SearchPlan.of(SearchPlan.Costs.MEASURED, SearchPlan.Codes.GRAPH, size, accepted, 10);
  }

  @ParameterizedTest
  @CsvSource({
    // size, accepted, walked, width, met, wanted, width of the next walk or 0 for a scan
    // At the rate of the first walk the second would meet what is wanted.
    "4000000, 2000000, 200, 200, 40, 100, 500",
    "4000000, 2000000, 200, 200, 99, 100, 400", // but less than twice as wide is hardly more
    "4000000, 2000000, 200, 200, 1, 100, 1600", // and the rate near the query is not all
    "4000000, 2000000, 200, 200, 0, 100, 1600",
    "4000000, 2000000, 1800, 1600, 0, 100, 12800",
    // A scan of two million codes costs what 24,000 expansions do.
    "4000000, 2000000, 14600, 12800, 0, 100, 0",
    "4000000, 2000000, 8000, 8000, 0, 100, 0",
    "4000000, 2000000, 3000, 3000, 50, 100, 6000",
    "4000000, 2000000, 17900, 3000, 50, 100, 6000",
    "4000000, 2000000, 18000, 3000, 50, 100, 0",
    "4000000, 200000, 2000, 2000, 99, 100, 0",
    // All were expanded, or will be.
    "1000, 1000, 1000, 1000, 900, 1800, 0",
    "12000, 11000, 110, 110, 0, 100, 0",
    // Rates of more than was asked for: the collector wants twice as many.
    "4000000, 4000000, 100, 100, 100, 200, 200",
  })
  void goesOnAfterAWalkForAsLongAsItPays(
      int size, int accepted, long walked, int width, int met, int wanted, int next) {
    SearchPlan plan =
        SearchPlan.afterWalk(SearchPlan.Costs.MEASURED, size, accepted, walked, width, met, wanted);
    assertEquals(next == 0 ? new SearchPlan.RowScan() : new SearchPlan.GraphWalk(next), plan);
  }

  @Test
  void walksThatMeetNothingCostNoMoreThanTheScanAfterThem() {
    SearchPlan.Costs costs = SearchPlan.Costs.MEASURED;
    for (int size : new int[] {10_000, 4_000_000, Integer.MAX_VALUE}) {
      for (int accepted : new int[] {1, size / 100, size / 7, size / 2, size}) {
        SearchPlan plan = SearchPlan.of(costs, SearchPlan.Codes.GRAPH, size, accepted, 10);
        long walked = 0;
        while (plan instanceof SearchPlan.GraphWalk walk) {
          walked += walk.width();
          plan = SearchPlan.afterWalk(costs, size, accepted, walked, walk.width(), 0, 100);
        }
        assertTrue(walked * costs.expansion() <= (long) accepted * costs.row());
      }
    }
  }

  @Test
  void theLargestSegmentsDoNotOverflow() {
    int max = Integer.MAX_VALUE;
    for (int k : new int[] {1, 10, 100_000, max}) {
      for (int accepted : new int[] {1, 1000, max / 2, max}) {
        for (SearchPlan.Codes codes : SearchPlan.Codes.values()) {
          SearchPlan plan = SearchPlan.of(SearchPlan.Costs.MEASURED, codes, max, accepted, k);
          if (plan instanceof SearchPlan.GraphWalk walk) {
            assertTrue(walk.width() > 0 && walk.width() <= max);
          }
        }
      }
    }
    assertInstanceOf(SearchPlan.GraphWalk.class, graphPlan(max, max));
  }

  @Test
  void moreHitsNeedMoreCandidates() {
    assertEquals(64, Reranker.depth(1));
    assertEquals(100, Reranker.depth(10));
    assertEquals(460, Reranker.depth(100));
    assertEquals(1 << 28, Reranker.depth(Integer.MAX_VALUE));
  }
}
