package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.elasticsearch.node.ElasticsearchNode;
import io.pq32.quantization.Effort;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** Nothing acknowledged is lost while nodes of a cluster are killed, come back and move. */
@ExtendWith(NodeExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClusterIT {
  private static final int DIMENSION = 96;

  /** Writing them all takes longer than the test does. */
  private static final int COUNT = Effort.of(60_000, 300_000);

  /** Vectors from which a segment has a graph: merged ones do, flushed ones do not. */
  private static final int GRAPH_THRESHOLD = 750;

  /** Some 150 documents a second: a node is away for thousands, and has time left to start. */
  private static final Load.Pressure STEADY = new Load.Pressure(2, 10, Duration.ofMillis(125), 1);

  /** Documents that are written before something happens. */
  private static final int FIRST = 400;

  private final Corpus corpus = Corpus.generate(20260106, COUNT, DIMENSION).unit();
  private ElasticsearchNode other; // a cluster of its own, with the same folder of snapshots
  private Cluster cluster;

  @BeforeAll
  void start(ElasticsearchNode other) throws IOException {
    this.other = other;
    cluster = Cluster.start(other.repository());
  }

  @AfterAll
  void close() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private TestIndex create(String name, String primary) throws IOException {
    return cluster.create(
        name,
        primary,
        TestIndex.SETTINGS + ", \"index.pq32.graph_threshold\": " + GRAPH_THRESHOLD,
        // Unit vectors, which are kept as they come: cosine would keep their directions.
        TestIndex.corpusMapping(DIMENSION, "\"similarity\": \"dot_product\""));
  }

  /** Requires that each of the two copies has all that was written, and finds it. */
  private void assertBothHold(String index, Corpus written) throws IOException {
    for (ElasticsearchNode node : cluster.dataNodes()) {
      TestIndex copy = new TestIndex(node, index);
      copy.refresh();
      String parameters = Cluster.preference(node);
      copy.assertHolds(written.documents(), parameters);
      Recall.assertHigh(written, _ -> true, query -> copy.knnOf(parameters, query));
    }
  }

  @Test
  void losesNothingWhenEveryNodeIsKilledOrRestarted() throws Exception {
    String name = "killed";
    create(name, cluster.dataNames().getFirst());
    try (Load load = new Load(cluster.dataNodes(), name, corpus, STEADY)) {
      for (int round = 1; round <= Effort.of(1, 4); round++) {
        load.awaitWritten(load.writtenCount() + FIRST + 37 * round);
        String killed = cluster.primary(name);

        cluster.node(killed).kill9();

        int searches = load.searches();
        load.awaitWritten(load.writtenCount() + FIRST);
        assertNotEquals(killed, cluster.primary(name), "the replica was promoted");
        assertTrue(load.searches() > searches, "searches go on");
        cluster.rejoin(killed);
        // The copy that has just come back is the next to be promoted.
        for (String restarted : cluster.names()) {
          if (!restarted.equals(killed)) {
            load.awaitWritten(load.writtenCount() + FIRST / 2);

            cluster.node(restarted).stop();

            cluster.rejoin(restarted);
          }
        }
        assertEquals(killed, cluster.primary(name), "the copy that came back was promoted");
      }
      Corpus written = load.stop();
      System.out.println("killed and restarted: " + load);
      assertBothHold(name, written);
    }
  }

  @Test
  void restoresASnapshotInANewCluster() throws IOException {
    TestIndex index = create("moved", cluster.dataNames().getFirst());
    Corpus moved = new Corpus(corpus.documents().subList(0, 2 * GRAPH_THRESHOLD), corpus.queries());
    // One merged segment with a graph, and two without.
    index.add(moved.documents().subList(0, GRAPH_THRESHOLD / 2));
    index.refresh();
    index.add(moved.documents().subList(GRAPH_THRESHOLD / 2, GRAPH_THRESHOLD));
    index.forceMerge();
    index.add(moved.documents().subList(GRAPH_THRESHOLD, 2 * GRAPH_THRESHOLD - 100));
    index.refresh();
    index.add(moved.documents().subList(2 * GRAPH_THRESHOLD - 100, 2 * GRAPH_THRESHOLD));
    String repository =
        "{\"type\": \"fs\", \"settings\": {\"location\": \"%s\"}}"
            .formatted(other.repository().resolve("moved"));
    index.succeed("PUT", "/_snapshot/moved", repository);
    index.succeed(
        "PUT",
        "/_snapshot/moved/one?wait_for_completion=true",
        "{\"indices\": \"moved\", \"include_global_state\": false}");

    TestIndex restored = new TestIndex(other, "moved");
    restored.succeed("PUT", "/_snapshot/moved", repository);
    restored.succeed(
        "POST",
        "/_snapshot/moved/one/_restore?wait_for_completion=true",
        "{\"index_settings\": {\"index.number_of_replicas\": 0}}");

    assertTrue(index.pq32Files().stream().anyMatch(name -> name.endsWith(".vex")));
    assertEquals(index.pq32Files(), restored.pq32Files());
    restored.assertHolds(moved.documents(), "");
    Recall.assertHigh(moved, _ -> true, query -> restored.knn(query, ""));
  }
}
