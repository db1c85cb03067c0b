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
    // A scan of 60,000 codes costs what 600 vectors cost, its table 100, its reranking 100.
    "BLOCKS, 60000, 60000, 10, CodeScan",
    "BLOCKS, 60000, 801, 10, CodeScan",
    "BLOCKS, 60000, 800, 10, ExactScan",
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
    "GRAPH, 1000000, 100, 10, ExactScan",
    "GRAPH, 1000000, 1, 10, ExactScan",
    "GRAPH, 1000000, 1000000, 10000, RowScan",
    "GRAPH, 1000000, 1000000, 2147483647, ExactScan",
    "GRAPH, 200, 200, 10, ExactScan",
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
