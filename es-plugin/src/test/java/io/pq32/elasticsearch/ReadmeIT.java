package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pq32.elasticsearch.TestIndex.Hit;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The README's requests do what it says, one after the other. */
@ExtendWith(NodeExtension.class)
class ReadmeIT {
  private static final Pattern CURL =
      Pattern.compile(
          """
          ^curl (?:-X (?<method>[A-Z]+) )?'localhost:9200/docs(?<path>[^']*)' \
          -H 'Content-Type: application/json' -d '(?<body>[^']*)'$\
          """,
          Pattern.MULTILINE);

  private final JsonMapper json = new JsonMapper();
  private final List<ObjectNode> searches = new ArrayList<>();
  private TestIndex docs;

  /** Sends what comes before the searches. */
  @BeforeEach
  void follow(ElasticsearchNode node) throws IOException {
    docs = new TestIndex(node, "docs");
    node.request("DELETE", "/docs");
    String readme = Files.readString(Path.of("../README.md"));
    Matcher curl = CURL.matcher(readme);
    int found = 0;
    for (; curl.find(); found++) {
      if (curl.group("path").startsWith("/_search")) {
        searches.add(json.readValue(curl.group("body"), ObjectNode.class));
      } else {
        String method = curl.group("method") == null ? "POST" : curl.group("method");
        docs.call(method, curl.group("path"), curl.group("body"));
      }
    }
    assertEquals(readme.lines().filter(line -> line.startsWith("curl ")).count(), found);
    docs.call(
        "POST",
        "/_doc?refresh",
        "{\"text\": \"une autre\", \"lang\": \"fr\", \"emb\": [0.1, 0.8, 0.3]}");
  }

  private List<Hit> search(ObjectNode body) throws IOException {
    return docs.search(body.toString());
  }

  @Test
  void filtersTheNearest() throws IOException {
    List<Hit> hits = search(searches.get(0));

    assertEquals(1, hits.size());
    assertEquals("en", hits.getFirst().hit().at("/_source/lang").asText());
  }

  @Test
  void addsTheScoresOfTextAndVector() throws IOException {
    ObjectNode hybrid = searches.get(1);
    Hit text = search(hybrid.deepCopy().without("knn")).getFirst();
    List<Hit> vectors = search(hybrid.deepCopy().without("query"));
    Hit vector =
        vectors.stream().filter(hit -> hit.id().equals(text.id())).findFirst().orElseThrow();
    assertFalse(vectors.getFirst().id().equals(text.id()), "the vectors alone prefer the other");

    Hit both = search(hybrid).getFirst();

    assertEquals(text.id(), both.id());
    assertEquals(text.score() + vector.score(), both.score(), 1e-5 * both.score());
    assertTrue(both.score() > vector.score());
  }

  /** As the README has it: without their boost the vectors would not matter beside full text. */
  @Test
  void weighsVectorsWithTheirBoost() throws IOException {
    Map<String, String> more = new TreeMap<>();
    // Words are worth more the fewer documents have them.
    for (int i = 0; i < 100; i++) {
      more.put("other" + i, "{\"text\": \"other\", \"emb\": [0.9, 0.1, 0.1]}");
    }
    more.put("alike", "{\"text\": \"first document\", \"emb\": [0.9, 0.1, 0.2]}");
    more.put("near", "{\"text\": \"document\", \"emb\": [0.1, 0.8, 0.3]}");
    docs.add(more);
    docs.refresh();
    ObjectNode hybrid = searches.get(1);
    ObjectNode unweighted = hybrid.deepCopy();
    unweighted.withObject("knn").remove("boost");

    assertFalse(prefersTheNear(hybrid.deepCopy().without("knn")));
    assertFalse(prefersTheNear(unweighted));
    assertTrue(prefersTheNear(hybrid));
  }

  /** Whether the document near in its vector comes before the one alike in its text. */
  private boolean prefersTheNear(ObjectNode body) throws IOException {
    List<String> ids = search(body).stream().map(Hit::id).toList();
    assertTrue(ids.contains("near") && ids.contains("alike"), ids::toString);
    return ids.indexOf("near") < ids.indexOf("alike");
  }

  @Test
  void usesTheFormat() throws IOException {
    JsonNode settings = docs.call("GET", "/_settings", null);

    assertTrue(settings.at("/docs/settings/index/pq32/enabled").asBoolean(), settings::toString);
  }
}
