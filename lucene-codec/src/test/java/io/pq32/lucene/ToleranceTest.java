package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.search.knn.KnnSearchStrategy;
import org.junit.jupiter.api.Test;

class ToleranceTest {
  private static final int[] KS = {1, 10, 15, 100, 10_000};

  private static Tolerance of(KnnSearchStrategy strategy) {
    return Tolerance.of(new TopKnnCollector(10, Integer.MAX_VALUE, strategy));
  }

  @Test
  void isThatOfTheQuery() {
    Pq32SearchStrategy strategy = new Pq32SearchStrategy(0.25);
    KnnSearchStrategy seeded = new KnnSearchStrategy.Seeded(null, 0, strategy);
    assertEquals(new Tolerance(0.25), of(strategy));
    assertEquals(new Tolerance(0.25), of(seeded));
    assertEquals(new Tolerance(0.25), of(new KnnSearchStrategy.Seeded(null, 0, seeded)));
  }

  @Test
  void isTheDefaultWhereTheQueryHasNone() {
    Tolerance expected = new Tolerance(Pq32SearchStrategy.DEFAULT_TOLERANCE);
    assertEquals(expected, of(null));
    assertEquals(expected, of(KnnSearchStrategy.Hnsw.DEFAULT));
    assertEquals(expected, of(new KnnSearchStrategy.Seeded(null, 0, null)));
  }

  @Test
  void byDefaultLeavesFewHitsAndIsPatient() {
    Tolerance tolerance = of(null);
    assertEquals(4096, tolerance.patience());
    for (int k : KS) {
      assertEquals(0.02 * k, tolerance.hits(k, true));
      assertEquals(0.005 * k, tolerance.hits(k, false), 1e-12 * k);
      assertEquals(Math.max(20, k), tolerance.first(k));
    }
  }

  @Test
  void zeroEndsNothing() {
    Tolerance none = new Tolerance(0);
    assertEquals(Long.MAX_VALUE, none.patience());
    assertTrue(none.hits(1, true) < 0);
    assertTrue(none.hits(1, false) < 0);
  }

  @Test
  void largerOnesAreNeverMoreThorough() {
    Tolerance before = new Tolerance(0);
    for (double share = 0.0005; share < 1; share += 0.0005) {
      Tolerance tolerance = new Tolerance(share);
      assertTrue(tolerance.patience() <= before.patience(), tolerance.toString());
      for (int k : KS) {
        assertTrue(tolerance.first(k) <= before.first(k), tolerance.toString());
        assertTrue(tolerance.first(k) >= k, tolerance.toString());
        assertTrue(tolerance.hits(k, true) > before.hits(k, true), tolerance.toString());
        assertTrue(tolerance.hits(k, false) > before.hits(k, false), tolerance.toString());
        assertTrue(tolerance.hits(k, false) <= tolerance.hits(k, true), tolerance.toString());
      }
      before = tolerance;
    }
  }
}
