package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pq32.elasticsearch.Corpus.Document;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What an index lives through: changes, merges, restarts, crashes, snapshots. Its flushed segments
 * are scanned, a merge of them gets a graph.
 */
@ExtendWith(NodeExtension.class)
class DurabilityIT {
  private static final int COUNT = 1200;
  private static final int DIMENSION = 96;
  private static final String UPGRADE = "99.9";

  private final Corpus corpus = Corpus.generate(20260102, COUNT, DIMENSION);
  private TestIndex index;

  @BeforeEach
  void load(ElasticsearchNode node) throws IOException {
    index =
        TestIndex.create(
            node,
            "durable",
            TestIndex.SETTINGS + ", \"index.pq32.graph_threshold\": " + COUNT * 3 / 4,
            TestIndex.corpusMapping(DIMENSION, "\"similarity\": \"cosine\""));
    index.add(corpus.documents().subList(0, COUNT / 2));
    index.refresh();
    index.add(corpus.documents().subList(COUNT / 2, COUNT));
    index.refresh();
  }

  private void assertAnswers(Corpus expected, Predicate<Document> accept) throws IOException {
    Recall.assertHigh(expected, accept, query -> index.knn(query, ""));
  }

  @Test
  void forgetsDeletedDocuments() throws IOException {
    index.call(
        "POST",
        "/_bulk",
        corpus.documents().stream()
            .filter(document -> document.id() % 3 == 0)
            .map(document -> "{\"delete\": {\"_id\": \"%d\"}}\n".formatted(document.id()))
            .collect(Collectors.joining()));
    index.refresh();
    Predicate<Document> left = document -> document.id() % 3 != 0;
    assertEquals(COUNT * 2 / 3, index.count());
    assertAnswers(corpus, left);

    index.forceMerge();
    assertEquals(COUNT * 2 / 3, index.count());
    assertAnswers(corpus, left);
  }

  @Test
  void findsUpdatedDocumentsAtTheirNewVectors() throws IOException {
    // Every fourth document moves to the place of another, taken from a second corpus.
    List<Document> fresh = Corpus.generate(20260103, COUNT, DIMENSION).documents();
    List<Document> now = new ArrayList<>(corpus.documents());
    List<Document> moved = fresh.stream().filter(document -> document.id() % 4 == 0).toList();
    moved.forEach(document -> now.set(document.id(), document));
    Corpus updated = new Corpus(now, corpus.queries());
    index.add(moved.subList(1, moved.size()));
    index.call(
        "POST",
        "/_update/0",
        "{\"doc\": {\"vector\": %s}}".formatted(Arrays.toString(moved.getFirst().vector())));
    index.refresh();
    assertAnswers(updated, _ -> true);

    index.forceMerge();
    assertEquals(COUNT, index.count());
    assertAnswers(updated, _ -> true);
    assertEquals(
        "0", index.knn(moved.getFirst().vector(), "").getFirst().id(), "the partial update");
  }

  @Test
  void mergesIntoOneSegment() throws IOException {
    index.forceMerge();

    List<String> vectors = index.files().stream().filter(name -> name.endsWith(".vec")).toList();
    assertEquals(1, vectors.size(), vectors::toString);
    assertAnswers(corpus, _ -> true);
  }

  @Test
  void survivesARestart() throws IOException {
    index.node().restart();

    assertEquals(COUNT, index.count());
    assertAnswers(corpus, _ -> true);
  }

  @Test
  void replaysTheTranslogAfterAKill() throws IOException {
    index.call("POST", "/_flush", null);
    Corpus more = Corpus.generate(20260104, COUNT + COUNT / 2, DIMENSION);
    List<Document> added = more.documents().subList(COUNT, more.documents().size());
    List<Document> all = new ArrayList<>(corpus.documents());
    all.addAll(added);
    index.add(added);

    index.node().kill9();
    index.node().start();
    index.refresh();

    assertEquals(all.size(), index.count());
    assertAnswers(new Corpus(all, corpus.queries()), _ -> true);
  }

  @Test
  void comesBackFromASnapshot() throws IOException {
    index.forceMerge();
    index.succeed(
        "PUT",
        "/_snapshot/repository",
        "{\"type\": \"fs\", \"settings\": {\"location\": \"%s\"}}"
            .formatted(index.node().repository().resolve("durable")));
    index.node().request("DELETE", "/_snapshot/repository/one");
    index.succeed(
        "PUT",
        "/_snapshot/repository/one?wait_for_completion=true",
        "{\"indices\": \"durable\", \"include_global_state\": false}");
    index.call("DELETE", "", null);

    index.succeed("POST", "/_snapshot/repository/one/_restore?wait_for_completion=true", null);

    assertEquals(COUNT, index.count());
    assertTrue(
        index.files().stream().anyMatch(name -> name.contains("Pq32HnswVectorsFormat")),
        "the restored shard has our files");
    assertAnswers(corpus, _ -> true);
    // And goes on being written by the format.
    index.add(corpus.documents().subList(0, 10));
    index.forceMerge();
    assertAnswers(corpus, _ -> true);
  }

  @Test
  void isWholeAgainWhenItsPluginComesBackInAnotherVersion() throws IOException {
    TestIndex stock =
        TestIndex.create(
            index.node(),
            "beside",
            "\"number_of_replicas\": 0",
            TestIndex.corpusMapping(DIMENSION, "\"similarity\": \"cosine\""));
    stock.add(corpus.documents());
    stock.refresh();
    ElasticsearchNode node = index.node();
    node.stop();
    node.removePlugin();
    try {
      node.launch();
      node.awaitListening();
      node.awaitHealth("red");
      stock.succeed("GET", "/_cluster/health/beside?wait_for_status=green&timeout=1m", null);
      assertEquals(10, stock.knn(corpus.queries().getFirst(), "").size());
      assertEquals(503, node.request("GET", "/durable/_search").status());
      String explanation =
          index
              .succeed(
                  "POST",
                  "/_cluster/allocation/explain",
                  "{\"index\": \"durable\", \"shard\": 0, \"primary\": true}")
              .toString();
      assertTrue(explanation.contains("unknown setting [index.pq32.enabled]"), explanation);
    } finally {
      node.stop();
      node.changePluginVersion(UPGRADE);
      node.installPlugin();
      node.start();
    }

    JsonNode plugins = index.succeed("GET", "/_cat/plugins?format=json", null);
    assertTrue(plugins.findValuesAsText("version").contains(UPGRADE), plugins::toString);
    assertEquals(COUNT, index.count());
    assertAnswers(corpus, _ -> true);
    index.forceMerge();
    assertAnswers(corpus, _ -> true);
  }
}
