package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import io.pq32.elasticsearch.node.Response;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One index on the node, with the requests that the tests repeat; every one of them must succeed.
 */
record TestIndex(ElasticsearchNode node, String name) {
  /** What every test index has: one shard, our format from 256 vectors on, files to look at. */
  static final String SETTINGS =
      """
      "number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": -1,
      "index.compound_format": false,
      "index.pq32.enabled": true, "index.pq32.min_quantized_count": 256\
      """;

  /** Documents of a page when all are read: some megabytes of vectors. */
  private static final int PAGE = 500;

  /** The mapping of {@link Corpus} documents: {@code options} completes that of the vector. */
  static String corpusMapping(int dimension, String options) {
    return """
    "number": {"type": "integer"}, "text": {"type": "text"}, "group": {"type": "keyword"},
    "year": {"type": "integer"}, "sold": {"type": "boolean"},
    "vector": {"type": "dense_vector", "dims": %d, %s}\
    """
        .formatted(dimension, options);
  }

  /** Creates the index, in place of one of that name. */
  static TestIndex create(ElasticsearchNode node, String name, String settings, String properties)
      throws IOException {
    node.request("DELETE", "/" + name);
    TestIndex index = new TestIndex(node, name);
    index.call(
        "PUT",
        "",
        "{\"settings\": {%s}, \"mappings\": {\"properties\": {%s}}}"
            .formatted(settings, properties));
    return index;
  }

  /** A request below the index's name. */
  JsonNode call(String method, String path, String json) throws IOException {
    return succeed(method, "/" + name + path, json);
  }

  /** A request to anything. */
  JsonNode succeed(String method, String path, String json) throws IOException {
    Response response = node.request(method, path, json);
    assertTrue(response.ok(), () -> method + " " + path + " answered " + response);
    return response.body();
  }

  /** Adds documents, given as id and JSON. */
  void add(Map<String, String> documents) throws IOException {
    String lines =
        documents.entrySet().stream()
            .map(
                document ->
                    "{\"index\": {\"_id\": \"%s\"}}\n%s\n"
                        .formatted(document.getKey(), document.getValue()))
            .collect(Collectors.joining());
    JsonNode answer = call("POST", "/_bulk", lines);
    assertTrue(!answer.path("errors").asBoolean(), answer::toString);
  }

  /** Adds documents of the corpus. */
  void add(List<Corpus.Document> documents) throws IOException {
    Map<String, String> byId = new TreeMap<>();
    for (Corpus.Document document : documents) {
      byId.put(Integer.toString(document.id()), document.json());
    }
    add(byId);
  }

  void refresh() throws IOException {
    call("POST", "/_refresh", null);
  }

  void forceMerge() throws IOException {
    call("POST", "/_forcemerge?max_num_segments=1", null);
    refresh();
  }

  int count() throws IOException {
    return call("GET", "/_count", null).path("count").asInt();
  }

  /**
   * One hit of a search.
   *
   * @param hit all that the node says about it
   */
  record Hit(String id, double score, JsonNode hit) {
    /** The id of a corpus document. */
    int number() {
      return Integer.parseInt(id);
    }

    /** The vector in the hit's source. */
    float[] vector() {
      JsonNode numbers = hit.path("_source").path("vector");
      float[] vector = new float[numbers.size()];
      for (int i = 0; i < vector.length; i++) {
        vector[i] = numbers.get(i).floatValue();
      }
      return vector;
    }
  }

  List<Hit> search(String body) throws IOException {
    return hits(call("POST", "/_search", body));
  }

  /** The hits in the answer to a search. */
  static List<Hit> hits(JsonNode answer) {
    List<Hit> hits = new ArrayList<>();
    for (JsonNode hit : answer.path("hits").path("hits")) {
      hits.add(new Hit(hit.path("_id").asText(), hit.path("_score").asDouble(), hit));
    }
    return hits;
  }

  /** The ten nearest by the {@code knn} section, with more of it after a comma. */
  List<Hit> knn(float[] query, String more) throws IOException {
    return search("{\"_source\": false, \"size\": 10, \"knn\": %s}".formatted(clause(query, more)));
  }

  /**
   * Requires exactly these documents of the corpus, with their vectors bit for bit; the field's
   * similarity must not be cosine, which keeps directions.
   *
   * @param parameters of the search requests, such as the copy that is to answer
   */
  void assertHolds(List<Corpus.Document> documents, String parameters) throws IOException {
    JsonNode count = call("GET", "/_count?" + parameters, null);
    assertEquals(documents.size(), count.path("count").asInt());
    assertHoldsVectors(documents, parameters);
  }

  /** Requires these documents of the corpus, whatever others there are, as above. */
  void assertHoldsVectors(List<Corpus.Document> documents, String parameters) throws IOException {
    for (int from = 0; from < documents.size(); from += PAGE) {
      Map<Integer, Corpus.Document> page =
          Recall.byId(documents.subList(from, Math.min(from + PAGE, documents.size())));
      List<Hit> hits =
          hits(
              call(
                  "POST",
                  "/_search?" + parameters,
                  """
                  {"size": %d, "_source": {"exclude_vectors": false, "includes": ["vector"]},
                   "query": {"terms": {"number": %s}}}
                  """
                      .formatted(PAGE, page.keySet())));
      assertEquals(page.size(), hits.size());
      for (Hit hit : hits) {
        assertArrayEquals(page.get(hit.number()).vector(), hit.vector(), hit::id);
      }
    }
  }

  /** The ten nearest by the {@code knn} section, as the copy answers that the parameters name. */
  List<Hit> knnOf(String parameters, float[] query) throws IOException {
    return hits(
        call(
            "POST",
            "/_search?" + parameters,
            "{\"_source\": false, \"size\": 10, \"knn\": %s}".formatted(clause(query, ""))));
  }

  /** A {@code knn} clause for ten neighbors among the default candidates. */
  static String clause(float[] query, String more) {
    return clause(query, 100, more);
  }

  /** A {@code knn} clause for ten neighbors among so many candidates. */
  static String clause(float[] query, int candidates, String more) {
    return "{\"field\": \"vector\", \"query_vector\": %s, \"k\": 10, \"num_candidates\": %d%s}"
        .formatted(Arrays.toString(query), candidates, more);
  }

  /** Names of the files of the index's only shard. */
  List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(folder())) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** Names of the files of the only shard that our format wrote outside of compound files. */
  List<String> pq32Files() throws IOException {
    return files().stream().filter(name -> name.contains("Pq32HnswVectorsFormat")).toList();
  }

  /** Folder of the files of the index's only shard. */
  Path folder() throws IOException {
    String uuid =
        call("GET", "/_settings", null)
            .path(name)
            .path("settings")
            .path("index")
            .path("uuid")
            .asText();
    return node.data().resolve("indices").resolve(uuid).resolve("0").resolve("index");
  }
}
