package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** How much of the exact answer the node gives, over all queries of a corpus. */
final class Recall {
  /** The design's floor for recall@10 at default settings, filtered or not. */
  private static final double FLOOR = 0.95;

  private static final int K = 10;

  private Recall() {}

  /** Asks the node for the ten nearest in some way. */
  interface Search {
    List<TestIndex.Hit> ask(float[] query) throws IOException;
  }

  /**
   * Requires the floor, exactly {@code min(10, matches)} hits for every query, and only accepted
   * documents among them.
   */
  static void assertHigh(Corpus corpus, Predicate<Corpus.Document> accept, Search search)
      throws IOException {
    Set<Integer> accepted = new HashSet<>();
    corpus.documents().stream().filter(accept).forEach(document -> accepted.add(document.id()));
    int found = 0;
    int possible = 0;
    for (float[] query : corpus.queries()) {
      List<Integer> expected = corpus.nearest(query, K, accept);
      List<Integer> hits = search.ask(query).stream().map(TestIndex.Hit::number).toList();
      assertEquals(expected.size(), hits.size());
      assertTrue(accepted.containsAll(hits), () -> "not accepted: " + hits);
      found += (int) expected.stream().filter(hits::contains).count();
      possible += expected.size();
    }
    String outcome = "found %d of %d neighbors".formatted(found, possible);
    assertTrue(found >= FLOOR * possible, outcome);
  }
}
