package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import io.pq32.elasticsearch.node.Response;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Three nodes on loopback of which any one may go: two with data, the primaries and replicas of
 * each other, and a third so that two of three can always elect a master.
 */
final class Cluster implements AutoCloseable {
  private static final String LEFT = "left";
  private static final String RIGHT = "right";
  private static final String THIRD = "third";

  private final Map<String, ElasticsearchNode> nodes = new TreeMap<>();
  private final ElasticsearchNode template;
  private final Path repository;

  private Cluster(ElasticsearchNode template, Path repository) {
    this.template = template;
    this.repository = repository;
  }

  /**
   * Starts all three.
   *
   * @param repository folder of snapshots
   */
  static Cluster start(Path repository) throws IOException {
    Cluster cluster = new Cluster(NodeExtension.install(), repository);
    try {
      cluster.add(LEFT, "master, data");
      cluster.add(RIGHT, "master, data");
      cluster.add(THIRD, "master");
      for (ElasticsearchNode node : cluster.nodes.values()) {
        node.launch();
      }
      for (ElasticsearchNode node : cluster.nodes.values()) {
        node.awaitListening();
      }
      cluster.introduce();
      for (ElasticsearchNode node : cluster.nodes.values()) {
        awaitGreen(node);
      }
      return cluster;
    } catch (IOException | RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  private void add(String name, String roles) throws IOException {
    nodes.put(
        name,
        template.sibling(
            Map.of(
                "node.name",
                name,
                "node.roles",
                "[" + roles + "]",
                "cluster.initial_master_nodes",
                "[left, right, third]",
                "discovery.seed_providers",
                "file",
                // Nodes find each other by the ports that they turn out to listen on.
                "discovery.initial_state_timeout",
                "0s",
                "path.repo",
                repository.toString())));
  }

  private void introduce() throws IOException {
    List<String> addresses = new ArrayList<>();
    for (ElasticsearchNode node : nodes.values()) {
      addresses.add(node.transportAddress());
    }
    for (ElasticsearchNode node : nodes.values()) {
      node.seed(addresses);
    }
  }

  /** Starts a node again that was stopped or killed, and waits until every copy is in sync. */
  void rejoin(String name) throws IOException {
    ElasticsearchNode node = node(name);
    node.launch();
    node.awaitListening();
    introduce();
    awaitGreen(node);
  }

  private static void awaitGreen(ElasticsearchNode node) throws IOException {
    node.awaitHealth("green&wait_for_nodes=3&wait_for_no_initializing_shards=true");
  }

  List<String> names() {
    return List.copyOf(nodes.keySet());
  }

  ElasticsearchNode node(String name) {
    return nodes.get(name);
  }

  List<String> dataNames() {
    return List.of(LEFT, RIGHT);
  }

  /** The data nodes: each may be asked for anything. */
  List<ElasticsearchNode> dataNodes() {
    return List.of(node(LEFT), node(RIGHT));
  }

  /** An index whose only primary is on this node and whose replica is on the other one. */
  TestIndex create(String index, String primary, String settings, String properties)
      throws IOException {
    TestIndex created =
        TestIndex.create(
            node(primary),
            index,
            settings + ", \"index.routing.allocation.require._name\": \"" + primary + "\"",
            properties);
    created.call(
        "PUT",
        "/_settings",
        "{\"index.routing.allocation.require._name\": null, \"index.number_of_replicas\": 1}");
    created.succeed("GET", "/_cluster/health?wait_for_status=green&timeout=2m", null);
    return created;
  }

  /** Name of the node that the index's primary is on, as the node without data knows. */
  String primary(String index) throws IOException {
    Response response =
        node(THIRD).request("GET", "/_cat/shards/" + index + "?format=json&h=prirep,node");
    assertTrue(response.ok(), response::toString);
    for (JsonNode shard : response.body()) {
      if (shard.path("prirep").asText().equals("p")) {
        return shard.path("node").asText();
      }
    }
    throw new AssertionError("no primary of " + index + " in " + response);
  }

  /** The parameter of a search request that has the copy on this node answer it. */
  static String preference(ElasticsearchNode node) throws IOException {
    Response response = node.request("GET", "/_nodes/_local?filter_path=nodes.*.name");
    assertTrue(response.ok(), response::toString);
    return "preference=_only_nodes:" + response.body().path("nodes").fieldNames().next();
  }

  @Override
  public void close() {
    Stream.concat(nodes.values().stream(), Stream.of(template)).forEach(ElasticsearchNode::close);
  }
}
