package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.elasticsearch.Corpus.Document;
import io.pq32.elasticsearch.TestIndex.Hit;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** How much of the exact answer the node gives, over all queries of a corpus. */
final class Recall {
  /** The design's floor for recall@10 at default settings, filtered or not. */
  private static final double FLOOR = 0.95;

  private static final int K = 10;

  /** Relative error of a float sum of some hundred terms, and of a score kept as float. */
  private static final double TOLERANCE = 1e-5;

  private Recall() {}

  /** Asks the node for the ten nearest in some way. */
  @FunctionalInterface
  interface Search {
    List<Hit> ask(float[] query) throws IOException;
  }

  /** Which documents may be hits of a query? */
  @FunctionalInterface
  interface Filter {
    Predicate<Document> of(float[] query);
  }

  /** The filter that is the same for every query. */
  static Filter always(Predicate<Document> accept) {
    return _ -> accept;
  }

  /** As below, for a filter that is the same for every query. */
  static void assertHigh(Corpus corpus, Predicate<Document> accept, Search search)
      throws IOException {
    assertHighUnder(always(accept), corpus, search);
  }

  /**
   * Requires the floor, exactly {@code min(10, matches)} hits for every query, only accepted
   * documents among them, and their cosines as scores.
   */
  static void assertHighUnder(Filter filter, Corpus corpus, Search search) throws IOException {
    Map<Integer, Document> documents = byId(corpus.documents());
    int found = 0;
    int possible = 0;
    for (float[] query : corpus.queries()) {
      Predicate<Document> accept = filter.of(query);
      List<Integer> expected = corpus.nearest(query, K, accept);
      List<Hit> hits = search.ask(query);
      assertEquals(expected.size(), hits.size());
      assertExact(documents, query, hits);
      List<Integer> ids = hits.stream().map(Hit::number).toList();
      assertTrue(ids.stream().map(documents::get).allMatch(accept), () -> "not accepted: " + ids);
      found += (int) expected.stream().filter(ids::contains).count();
      possible += expected.size();
    }
    String outcome = "found %d of %d neighbors".formatted(found, possible);
    assertTrue(found >= FLOOR * possible, outcome);
  }

  static Map<Integer, Document> byId(List<Document> documents) {
    return documents.stream().collect(Collectors.toMap(Document::id, Function.identity()));
  }

  /** Requires different documents with their cosines as scores, best first. */
  static void assertExact(Map<Integer, Document> documents, float[] query, List<Hit> hits) {
    Set<Integer> seen = new HashSet<>();
    double last = Double.POSITIVE_INFINITY;
    for (Hit hit : hits) {
      assertTrue(seen.add(hit.number()), () -> "twice: " + hit);
      double expected = Corpus.cosineScore(query, documents.get(hit.number()).vector());
      assertEquals(expected, hit.score(), TOLERANCE * expected, hit::toString);
      assertTrue(hit.score() <= last, () -> "after a worse one: " + hit);
      last = hit.score();
    }
  }
}
