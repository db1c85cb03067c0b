package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import io.pq32.elasticsearch.node.Response;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong input is refused with a reason, and leaves the index as it was. */
@ExtendWith(NodeExtension.class)
class InputIT {
  private static final String VECTOR = "\"vector\": {\"type\": \"dense_vector\", \"dims\": 4}";

  /** The search for the one nearest vector. */
  private static final String KNN =
      """
      {"knn": {"field": "vector", "k": 1, "num_candidates": 10, "query_vector": %s}}
      """;

  private ElasticsearchNode node;
  private TestIndex index;

  @BeforeEach
  void create(ElasticsearchNode node) throws IOException {
    this.node = node;
    node.request("DELETE", "/refused");
    node.request("DELETE", "/_index_template/refused");
    index =
        TestIndex.create(
            node, "input", TestIndex.SETTINGS, VECTOR + ", \"word\": {\"type\": \"keyword\"}");
  }

  /** Requires a client error whose reasons contain every one of the words. */
  private void assertRefused(String method, String path, String json, String... words)
      throws IOException {
    Response response = node.request(method, path, json.replace('\'', '"'));
    assertEquals(400, response.status(), response::toString);
    for (String word : words) {
      assertTrue(response.reasons().contains(word), () -> word + " is not in " + response);
    }
  }

  /** Requires that what was refused has left the index and its shard as they were. */
  @AfterEach
  void assertUnharmed() throws IOException {
    index.succeed("POST", "/input/_open", null);
    JsonNode health =
        index.succeed("GET", "/_cluster/health/input?wait_for_status=green&timeout=30s", null);
    assertEquals("green", health.path("status").asText(), health::toString);
    index.call("PUT", "/_doc/after?refresh=true", "{\"vector\": [4, 3, 2, 1]}");
    assertEquals("after", index.search(KNN.formatted("[4, 3, 2, 1]")).getFirst().id());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bytes_per_vector|33|16, 32, 48, 64, 96",
        "bytes_per_vector|0|16, 32, 48, 64, 96",
        "bytes_per_vector|-32|16, 32, 48, 64, 96",
        "bytes_per_vector|32.5|not an integer",
        "bytes_per_vector|99999999999|not an integer",
        "bytes_per_vector|many|not an integer",
        "bytes_per_vector||not an integer",
        "graph_threshold|0|between 1 and 2147483647",
        "graph_threshold|-1|between 1 and 2147483647",
        "graph_threshold|2147483648|not an integer",
        "graph_threshold|true|not an integer",
        "min_quantized_count|0|between 1 and 2147483647",
        "min_quantized_count|-5|between 1 and 2147483647",
        "min_quantized_count|few|not an integer",
        "enabled|maybe|[true] or [false]",
        "enabled|1|[true] or [false]",
        "oversample|3|unknown setting",
        "bytes_per_vector.inner|32|unknown setting",
      },
      quoteCharacter = '`')
  void refusesABadSetting(String option, String value, String reason) throws IOException {
    String key = "index.pq32." + option;
    String given = value == null ? "" : value;
    String settings = "{'settings': {'%s': '%s'}}".formatted(key, given);

    assertRefused("PUT", "/refused", settings, "[" + key + "]", reason);
    assertRefused(
        "PUT",
        "/_index_template/refused",
        "{'index_patterns': ['refused*'], 'template': %s}".formatted(settings),
        "[" + key + "]",
        reason);

    assertEquals(404, node.request("GET", "/refused").status());
    assertEquals(404, node.request("GET", "/_index_template/refused").status());
  }

  @ParameterizedTest
  @CsvSource({
    "enabled, false",
    "fields, vector",
    "bytes_per_vector, 64",
    "graph_threshold, 5",
    "min_quantized_count, 5"
  })
  void refusesToChangeASettingOfAnExistingIndex(String option, String value) throws IOException {
    String key = "index.pq32." + option;
    String change = "{'%s': '%s'}".formatted(key, value);

    assertRefused("PUT", "/input/_settings", change, key);
    index.call("POST", "/_close", null);
    assertRefused("PUT", "/input/_settings", change, "final", key);
    assertRefused("PUT", "/input/_settings?reopen=true", change, "final", key);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'type': 'keyword'}|is not a dense_vector",
        "{'properties': {'inner': {'type': 'keyword'}}}|is an object",
        "{'type': 'alias', 'path': 'other'}|is an alias of [other]",
        "{'type': 'dense_vector', 'dims': 4, 'element_type': 'byte'}|element_type [byte]",
        "{'type': 'dense_vector', 'dims': 4, 'index': false}|is not indexed",
        "{'type': 'dense_vector', 'dims': 4, 'index_options': {'type': 'flat'}}|type [flat]",
      },
      quoteCharacter = '`')
  void refusesAListedFieldThatItCannotCompress(String mapping, String reason) throws IOException {
    String settings = "{'index.pq32.enabled': true, 'index.pq32.fields': ['listed']}";
    String properties =
        "{'properties': {'other': {'type': 'keyword'}, 'listed': %s}}".formatted(mapping);
    node.request("DELETE", "/listing");
    assertRefused(
        "PUT",
        "/listing",
        "{'settings': %s, 'mappings': %s}".formatted(settings, properties),
        "[listed]",
        "[index.pq32.fields]",
        reason);

    index.succeed("PUT", "/listing", "{'settings': %s}".formatted(settings).replace('\'', '"'));
    assertRefused(
        "PUT", "/listing/_mapping", properties, "[listed]", "[index.pq32.fields]", reason);
  }

  @Test
  void acceptsAListedFieldThatIsMappedLater() throws IOException {
    TestIndex later =
        TestIndex.create(
            node,
            "later",
            TestIndex.SETTINGS + ", \"index.pq32.fields\": [\"vector\"]",
            "\"other\": {\"type\": \"dense_vector\", \"dims\": 4}");
    later.call("PUT", "/_mapping", "{\"properties\": {%s}}".formatted(VECTOR));
    for (int id = 1; id <= 2; id++) {
      later.call(
          "PUT",
          "/_doc/" + id + "?refresh=true",
          "{\"vector\": [1, 2, 3, 4], \"other\": [1, 2, 3, 4]}");
    }
    later.forceMerge();

    assertEquals(
        1,
        later.files().stream()
            .filter(name -> name.endsWith("Pq32HnswVectorsFormat_0.vec"))
            .count());
    assertTrue(
        later.files().stream()
            .anyMatch(name -> name.endsWith(".vec") && !name.contains("Pq32HnswVectorsFormat")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[1, 2, 3]|dimensions",
        "[1, 2, 3, 4, 5]|dimension",
        "[1, 2, 3, NaN]|NaN",
        "[1, 2, 3, Infinity]|Inf",
        "[1, 2, 3, -Infinity]|Inf",
        "[1, 2, 3, 1e39]|Inf",
        "[0, 0, 0, 0]|magnitude",
        "'words'|failed to parse",
        "[1, 2, 3, 'four']|",
        "[1, 2, 3, null]|",
        "[1, 2, 3, [4]]|",
        "[1, 2, 3, true]|",
        "{'x': 1}|",
        "[]|",
        "7|",
      },
      quoteCharacter = '`')
  void refusesABadVector(String vector, String reason) throws IOException {
    index.call("PUT", "/_doc/1?refresh=true", "{\"vector\": [1, 2, 3, 4]}");

    assertAll(
        () ->
            assertRefused(
                "PUT",
                "/input/_doc/2?refresh=true",
                "{'vector': " + vector + "}",
                reason == null ? "" : reason),
        () -> assertRefused("POST", "/input/_search", KNN.formatted(vector), ""));

    // In a bulk, it is the only one refused.
    JsonNode answer =
        index.call(
            "POST",
            "/_bulk?refresh=true",
            """
            {"index": {"_id": "3"}}
            {"vector": [1, 2, 3, 5]}
            {"index": {"_id": "4"}}
            {"vector": %s}
            {"index": {"_id": "5"}}
            {"vector": [1, 2, 3, 6]}
            """
                .formatted(vector.replace('\'', '"')));
    assertEquals(
        List.of(201, 400, 201),
        answer.findValues("status").stream().map(JsonNode::asInt).toList(),
        answer::toString);
    assertEquals(3, index.count());
    assertEquals("1", index.search(KNN.formatted("[1, 2, 3, 4]")).getFirst().id());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'k': 0|[k] must be greater than 0",
        "'k': -1|[k] must be greater than 0",
        "'k': 'ten'|[k]",
        "'num_candidates': 0|k",
        "'num_candidates': 10001|[num_candidates] cannot exceed [10000]",
        "'k': 11, 'num_candidates': 10|[num_candidates] cannot be less than [k]",
        "'field': 'word'|only supported on [dense_vector] fields",
        "'query_vector': null|",
        "'query_vector_builder': {'lookup': {}}|",
        "'similarity': 'near'|[similarity]",
        "'boost': -1|[boost]",
        "'rescore_vector': {'oversample': 0.5}|oversample",
        "'oversample': 3|[oversample]",
        "'filter': {'no_such_query': {}}|[no_such_query]",
        "'filter': {'range': {'vector': {'gte': 1}}}|[vector]",
        "'filter': {'term': {}}|",
        "'filter': 7|filter",
      },
      quoteCharacter = '`')
  void refusesABadSearch(String part, String reason) throws IOException {
    Map<String, String> parts = new TreeMap<>();
    parts.put("'field'", "'vector'");
    parts.put("'query_vector'", "[1, 2, 3, 4]");
    parts.put("'num_candidates'", "100");
    index.call("PUT", "/_doc/1?refresh=true", "{\"vector\": [1, 2, 3, 4], \"word\": \"one\"}");
    // Replaces or adds the parts given.
    for (String one : part.split(", (?=')")) {
      int colon = one.indexOf(": ");
      parts.put(one.substring(0, colon), one.substring(colon + 2));
    }
    String clause =
        parts.entrySet().stream()
            .map(one -> one.getKey() + ": " + one.getValue())
            .collect(Collectors.joining(", ", "{", "}"));

    assertAll(
        () ->
            assertRefused(
                "POST", "/input/_search", "{'knn': " + clause + "}", reason == null ? "" : reason),
        () ->
            assertRefused(
                "POST",
                "/input/_search",
                "{'query': {'knn': " + clause + "}}",
                reason == null ? "" : reason));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'dims': 0|range [1, 4096]",
        "'dims': -4|range [1, 4096]",
        "'dims': 4097|range [1, 4096]",
        "'dims': 'four'|[dims]",
        "'dims': 4, 'element_type': 'double'|[double]",
        "'dims': 4, 'similarity': 'taxicab'|[taxicab]",
        "'dims': 4, 'index_options': {'type': 'pq32'}|[pq32]",
        "'dims': 4, 'index_options': {'type': 'hnsw', 'bytes': 32}|[bytes",
        "'dims': 4, 'index_options': {'type': 'hnsw', 'm': 'x'}|",
        "'dims': 4, 'index_options': {'type': 'bbq_hnsw'}|",
        "'dims': 4, 'pq32': true|[pq32",
      },
      quoteCharacter = '`')
  void refusesABadMapping(String parameters, String reason) throws IOException {
    String properties =
        "{'properties': {'bad': {'type': 'dense_vector', %s}}}".formatted(parameters);
    String expected = reason == null ? "" : reason;

    assertRefused(
        "PUT",
        "/refused",
        "{'settings': {'index.pq32.enabled': true}, 'mappings': %s}".formatted(properties),
        expected);
    assertRefused("PUT", "/input/_mapping", properties, expected);

    assertEquals(404, node.request("GET", "/refused").status());
  }

  @ParameterizedTest
  @CsvSource({"4, byte", "32, bit", "4, bfloat16"})
  void servesElementTypesThatItDoesNotCompress(int dims, String type) throws IOException {
    TestIndex other =
        TestIndex.create(
            node,
            "other",
            TestIndex.SETTINGS,
            "\"vector\": {\"type\": \"dense_vector\", \"dims\": %d, \"element_type\": \"%s\"}"
                .formatted(dims, type));
    other.call("PUT", "/_doc/1?refresh=true", "{\"vector\": [1, 2, 3, 4]}");

    assertEquals("1", other.search(KNN.formatted("[1, 2, 3, 4]")).getFirst().id());
  }

  @ParameterizedTest
  @CsvSource({"-5, -5", "0, 0", "1, 1", "16, 1", "100000, 10", "2147483647, 2147483647"})
  void servesWhateverGraphTheServerLetsAMappingAskFor(int m, int efConstruction)
      throws IOException {
    TestIndex asked =
        TestIndex.create(
            node,
            "asked",
            TestIndex.SETTINGS + ", \"index.pq32.graph_threshold\": 1",
            """
            "vector": {"type": "dense_vector", "dims": 4,
             "index_options": {"type": "hnsw", "m": %d, "ef_construction": %d}}
            """
                .formatted(m, efConstruction));
    Map<String, String> documents = new TreeMap<>();
    for (int id = 1; id <= 600; id++) {
      documents.put(
          Integer.toString(id), "{\"vector\": [%d, %d, 1, 2]}".formatted(id, id * id % 601));
    }
    asked.add(documents);
    asked.forceMerge();

    assertEquals("7", asked.search(KNN.formatted("[7, 49, 1, 2]")).getFirst().id());
  }
}
