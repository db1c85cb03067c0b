package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.elasticsearch.node.ElasticsearchNode;
import io.pq32.elasticsearch.node.Response;
import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong input is refused with a reason, and leaves the index as it was. */
@ExtendWith(NodeExtension.class)
class InputIT {
  private static final String VECTOR = "\"vector\": {\"type\": \"dense_vector\", \"dims\": 4}";

  private ElasticsearchNode node;
  private TestIndex index;

  @BeforeEach
  void create(ElasticsearchNode node) throws IOException {
    this.node = node;
    index = TestIndex.create(node, "input", TestIndex.SETTINGS, VECTOR);
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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'index.pq32.bytes_per_vector': 33|[33]|[index.pq32.bytes_per_vector]|16, 32, 48, 64, 96",
        "'index.pq32.graph_threshold': 0|[0]|[index.pq32.graph_threshold]|between 1 and",
        "'index.pq32.min_quantized_count': 'few'|[few]|[index.pq32.min_quantized_count]|integer",
        "'index.pq32.enabled': 'maybe'|[maybe]|[index.pq32.enabled]|",
        "'index.pq32.oversample': 3|unknown setting|[index.pq32.oversample]|",
      },
      quoteCharacter = '`')
  void refusesABadSetting(String setting, String first, String second, String third)
      throws IOException {
    assertRefused(
        "PUT",
        "/refused",
        "{'settings': {%s}}".formatted(setting),
        first,
        second,
        third == null ? "" : third);
    assertEquals(404, node.request("GET", "/refused").status());
  }

  @Test
  void refusesToChangeASettingOfAnExistingIndex() throws IOException {
    assertRefused(
        "PUT", "/input/_settings", "{'index.pq32.enabled': false}", "[index.pq32.enabled]");
    index.call("POST", "/_close", null);
    assertRefused(
        "PUT",
        "/input/_settings",
        "{'index.pq32.bytes_per_vector': 64}",
        "final",
        "index.pq32.bytes_per_vector");
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
        "[0, 0, 0, 0]|magnitude",
        "'words'|failed to parse",
      },
      quoteCharacter = '`')
  void refusesABadVector(String vector, String reason) throws IOException {
    index.call("PUT", "/_doc/1?refresh=true", "{\"vector\": [1, 2, 3, 4]}");

    assertAll(
        () ->
            assertRefused(
                "PUT", "/input/_doc/2?refresh=true", "{'vector': " + vector + "}", reason),
        () ->
            assertRefused(
                "POST",
                "/input/_search",
                "{'knn': {'field': 'vector', 'k': 1, 'num_candidates': 10, 'query_vector': %s}}"
                    .formatted(vector)));
    assertEquals(1, index.count());
    assertEquals(
        "1",
        index
            .search(
                """
                {"knn": {"field": "vector", "k": 1, "num_candidates": 10,
                 "query_vector": [1, 2, 3, 4]}}
                """)
            .getFirst()
            .id());
  }
}
