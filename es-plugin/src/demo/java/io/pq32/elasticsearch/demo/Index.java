package io.pq32.elasticsearch.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pq32.elasticsearch.demo.Sample.Document;
import io.pq32.elasticsearch.demo.Sample.Query;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import io.pq32.elasticsearch.node.Response;
import io.pq32.lucene.Pq32HnswConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/** One index of the node: created, filled, searched and measured over HTTP. */
final class Index {
  /** Name of the field of the vectors. */
  static final String VECTOR = "vector";

  /** Name of the field of the full text. */
  static final String TEXT = "text";

  // About 3 MB of JSON; every batch becomes a segment, so that the merge has something to merge.
  private static final int BATCH = 250;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ElasticsearchNode node;
  private final String name;
  private final OptionalInt bytesPerCode;

  private Index(ElasticsearchNode node, String name, OptionalInt bytesPerCode) {
    this.node = node;
    this.name = name;
    this.bytesPerCode = bytesPerCode;
  }

  /**
   * Creates an index of packages.
   *
   * @param pq32 whether the plugin writes its vectors
   * @param indexType kind of vector index in the mapping; null leaves the mapping without one,
   *     which is Elasticsearch's choice
   */
  static Index ofPackages(
      ElasticsearchNode node, String name, int dimension, boolean pq32, String indexType)
      throws IOException {
    ObjectNode definition = definition();
    if (pq32) {
      ((ObjectNode) definition.path("settings")).put("index.pq32.enabled", true);
    }
    ObjectNode fields = fields(definition);
    for (String keyword :
        List.of("title", "section", "priority", "arch", "maintainer", "source", "tags")) {
      fields.putObject(keyword).put("type", "keyword");
    }
    for (String number : List.of("id", "installed_kb", "size", "n_depends", "words", "rnd")) {
      fields.putObject(number).put("type", "long");
    }
    fields.putObject(TEXT).put("type", "text");
    ObjectNode vector = fields.putObject(VECTOR);
    vector.put("type", "dense_vector").put("dims", dimension).put("similarity", "dot_product");
    if (indexType != null) {
      vector.putObject("index_options").put("type", indexType);
    }
    OptionalInt bytesPerCode =
        pq32 ? OptionalInt.of(Pq32HnswConfig.DEFAULT.bytesPerVector()) : OptionalInt.empty();
    return create(node, name, definition, bytesPerCode);
  }

  /** Creates an index that holds the queries, so that a search can name one by its id. */
  static Index ofQueries(ElasticsearchNode node, String name, int dimension) throws IOException {
    ObjectNode definition = definition();
    ObjectNode fields = fields(definition);
    fields.putObject(TEXT).put("type", "text");
    fields.putObject(VECTOR).put("type", "dense_vector").put("dims", dimension).put("index", false);
    return create(node, name, definition, OptionalInt.empty());
  }

  private static ObjectNode definition() {
    ObjectNode definition = JsonNodeFactory.instance.objectNode();
    definition
        .putObject("settings")
        .put("index.number_of_shards", 1)
        .put("index.number_of_replicas", 0)
        .put("index.refresh_interval", "-1")
        // Elasticsearch packs the files of a small segment into one; apart they can be measured.
        .put("index.compound_format", false);
    return definition;
  }

  private static ObjectNode fields(ObjectNode definition) {
    return definition.putObject("mappings").put("dynamic", "strict").putObject("properties");
  }

  private static Index create(
      ElasticsearchNode node, String name, ObjectNode definition, OptionalInt bytesPerCode)
      throws IOException {
    Index index = new Index(node, name, bytesPerCode);
    index.request("PUT", "", definition.toString());
    return index;
  }

  String name() {
    return name;
  }

  /** Indexes the documents; {@code done} is told how many are in after every batch. */
  void load(List<Document> documents, IntConsumer done) throws IOException {
    for (int from = 0; from < documents.size(); from += BATCH) {
      int to = Math.min(from + BATCH, documents.size());
      StringBuilder lines = new StringBuilder();
      for (Document document : documents.subList(from, to)) {
        append(lines, document.id(), document.fields().deepCopy(), document.vector());
      }
      bulk(lines);
      done.accept(to);
    }
  }

  /** Indexes the queries. */
  void load(List<Query> queries) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Query query : queries) {
      ObjectNode fields = JsonNodeFactory.instance.objectNode().put(TEXT, query.text());
      append(lines, query.id(), fields, query.vector());
    }
    bulk(lines);
  }

  private static void append(StringBuilder lines, String id, ObjectNode fields, float[] vector) {
    ObjectNode action = JsonNodeFactory.instance.objectNode();
    action.putObject("index").put("_id", id);
    fields.set(VECTOR, array(vector));
    lines.append(action).append('\n').append(fields).append('\n');
  }

  private void bulk(StringBuilder lines) throws IOException {
    JsonNode body = request("POST", "/_bulk?refresh=true", lines.toString());
    if (body.path("errors").asBoolean()) {
      for (JsonNode item : body.path("items")) {
        JsonNode error = item.path("index").path("error");
        if (!error.isMissingNode()) {
          throw new IOException(
              "document " + item.path("index").path("_id").asText() + " was refused: " + error);
        }
      }
    }
  }

  /** Merges everything into one segment, as an index that is no longer written to. */
  void merge() throws IOException {
    request("POST", "/_forcemerge?max_num_segments=1", null);
    request("POST", "/_refresh", null);
    request("POST", "/_flush", null);
  }

  /** The hits of a search, best first. */
  List<Hit> search(ObjectNode search) throws IOException {
    JsonNode body = request("POST", "/_search", search.toString());
    if (body.path("timed_out").asBoolean() || body.at("/_shards/failed").asInt() != 0) {
      throw new IOException("search in " + name + " was not answered in full: " + body);
    }
    List<Hit> hits = new ArrayList<>();
    for (JsonNode hit : body.at("/hits/hits")) {
      hits.add(new Hit(hit.path("_id").asText(), hit.path("_score").asDouble()));
    }
    return hits;
  }

  /** Bytes of the vectors in this index. */
  VectorBytes vectorBytes() throws IOException {
    JsonNode stats =
        request("GET", "/_stats/dense_vector,segments?include_segment_file_sizes=true", null);
    return VectorBytes.of(stats.at("/_all/primaries"), bytesPerCode);
  }

  /** Names of the formats that wrote the vectors, as every segment tells. */
  Set<String> formats() throws IOException {
    JsonNode answer = request("GET", "/_segments?vector_formats=true", null);
    Set<String> formats = new TreeSet<>();
    for (JsonNode copies : answer.path("indices").path(name).path("shards")) {
      for (JsonNode segment : copies.path(0).path("segments")) {
        segment
            .path("attributes")
            .properties()
            .forEach(
                attribute -> {
                  // Such as "Pq32HnswVectorsFormat": "[vector]"; the names of fields are in
                  // brackets.
                  if (attribute.getValue().asText().equals("[" + VECTOR + "]")) {
                    formats.add(attribute.getKey());
                  }
                });
      }
    }
    return formats;
  }

  /** A vector as JSON. */
  static ArrayNode array(float[] vector) {
    return JSON.valueToTree(vector);
  }

  private JsonNode request(String method, String path, String json) throws IOException {
    Response response = node.request(method, "/" + name + path, json);
    if (!response.ok()) {
      throw new IOException(
          "%s /%s%s was answered with status %d: %s"
              .formatted(method, name, path, response.status(), response.body()));
    }
    return response.body();
  }
}
