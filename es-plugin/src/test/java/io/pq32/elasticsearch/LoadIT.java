package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.elasticsearch.Corpus.Document;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import io.pq32.elasticsearch.node.Response;
import io.pq32.quantization.Effort;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A node of half a gigabyte of heap refuses what it cannot take and keeps what it took. */
@ExtendWith(NodeExtension.class)
class LoadIT {
  private static final int DIMENSION = 768;
  private static final int COUNT = Effort.of(12_000, 50_000);

  /** Documents that are read back: all of the short form. */
  private static final int READ = 12_000;

  private static final int QUERIES = 20;

  /** Sixteen requests of five megabytes each: more than a tenth of the heap at once. */
  private static final Load.Pressure HARD = new Load.Pressure(16, 500, Duration.ZERO, 2);

  /** Less than a document or a query of that many numbers, and more than a setting. */
  private static final String TIGHT = "\"4kb\"";

  private static TestIndex create(ElasticsearchNode node) throws IOException {
    return TestIndex.create(
        node,
        "load",
        TestIndex.SETTINGS + ", \"index.pq32.graph_threshold\": " + COUNT / 2,
        TestIndex.corpusMapping(DIMENSION, "\"similarity\": \"dot_product\""));
  }

  @Test
  void keepsWhatItAcknowledgesUnderBulkLoad(ElasticsearchNode node) throws Exception {
    TestIndex index = create(node);
    Corpus corpus = Corpus.generate(20260108, COUNT, DIMENSION).unit();
    long pid = node.pid();

    Corpus written;
    try (Load load = new Load(List.of(node), index.name(), corpus, HARD)) {
      written = load.finish();
      assertTrue(load.searches() > 0);
      System.out.println("half a gigabyte: " + load);
    }

    index.forceMerge();
    assertEquals(pid, node.pid());
    assertEquals(COUNT, written.documents().size());
    assertEquals(COUNT, index.count());
    List<Document> read = written.documents().subList(0, READ);
    index.assertHoldsVectors(read, "");
    Recall.assertHigh(
        new Corpus(written.documents(), written.queries().subList(0, QUERIES)),
        _ -> true,
        query -> index.knn(query, ""));
  }

  @Test
  void refusesWhatItsCircuitBreakerForbids(ElasticsearchNode node) throws IOException {
    TestIndex index = create(node);
    Corpus corpus = Corpus.generate(20260109, 500, DIMENSION).unit();
    List<Document> documents = corpus.documents();
    index.add(documents);
    index.refresh();
    String search = "{\"knn\": %s}".formatted(TestIndex.clause(corpus.queries().getFirst(), ""));
    limit(node, TIGHT);
    try {
      for (Response response :
          List.of(
              node.request("PUT", "/load/_doc/500", documents.getFirst().json()),
              node.request("POST", "/load/_search", search))) {
        assertEquals(429, response.status(), response::toString);
        assertTrue(response.reasons().contains("Data too large"), response::toString);
      }
    } finally {
      limit(node, "null");
    }

    assertEquals(10, index.search(search).size());
    index.refresh();
    index.assertHolds(documents, "");
  }

  /** Sets how much of requests may be under way, or takes that back. */
  private static void limit(ElasticsearchNode node, String value) throws IOException {
    new TestIndex(node, "load")
        .succeed(
            "PUT",
            "/_cluster/settings",
            "{\"persistent\": {\"network.breaker.inflight_requests.limit\": %s}}".formatted(value));
  }
}
