package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pq32.elasticsearch.Corpus.Document;
import io.pq32.elasticsearch.TestIndex.Hit;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kind of vector query on an index of several segments, against brute force. */
@ExtendWith(NodeExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class SearchCases {
  private static final int COUNT = 2400;
  private static final int SEGMENTS = 3;
  private static final int DIMENSION = 96;

  /** Relative error of a float sum of {@link #DIMENSION} terms, and of a score kept as float. */
  private static final double TOLERANCE = 1e-5;

  private final String settings;
  private final Corpus corpus = Corpus.generate(20260101, COUNT, DIMENSION);
  private TestIndex index;

  /**
   * @param graphThreshold vectors from which a segment has a graph
   */
  SearchCases(int graphThreshold) {
    settings = TestIndex.SETTINGS + ", \"index.pq32.graph_threshold\": " + graphThreshold;
  }

  @BeforeAll
  void load(ElasticsearchNode node) throws IOException {
    index =
        TestIndex.create(
            node,
            "search",
            settings,
            TestIndex.corpusMapping(DIMENSION, "\"similarity\": \"cosine\""));
    int perSegment = COUNT / SEGMENTS;
    for (int segment = 0; segment < SEGMENTS; segment++) {
      index.add(corpus.documents().subList(segment * perSegment, (segment + 1) * perSegment));
      index.refresh();
    }
  }

  @Test
  void findsTheNearest() throws IOException {
    Recall.assertHigh(corpus, _ -> true, query -> index.knn(query, ""));
  }

  @ParameterizedTest
  @MethodSource("filters")
  void findsTheNearestThatPassAFilter(String filter, Predicate<Document> accept)
      throws IOException {
    Recall.assertHigh(corpus, accept, query -> index.knn(query, ", \"filter\": " + filter));
  }

  @ParameterizedTest
  @MethodSource("filters")
  void findsTheNearestInsideABoolQuery(String filter, Predicate<Document> accept)
      throws IOException {
    Recall.assertHigh(
        corpus,
        accept,
        query ->
            index.search(
                """
                {"_source": false, "size": 10, "query": {"bool": {"must": [{"knn": %s}]}}}
                """
                    .formatted(TestIndex.clause(query, ", \"filter\": " + filter))));
  }

  static Stream<Arguments> filters() {
    return Stream.of(
        filter("{'term': {'group': 'group3'}}", document -> document.group().equals("group3")),
        filter("{'range': {'year': {'gte': 2012}}}", document -> document.year() >= 2012),
        filter("{'range': {'year': {'lt': 2001}}}", document -> document.year() < 2001),
        filter(
            "{'bool': {'must': [{'term': {'sold': true}}], 'must_not': [{'term': {'group':"
                + " 'group0'}}], 'filter': [{'range': {'year': {'gte': 2005, 'lte': 2010}}}]}}",
            document ->
                document.sold()
                    && !document.group().equals("group0")
                    && document.year() >= 2005
                    && document.year() <= 2010),
        filter("{'match': {'text': 'topic7'}}", document -> document.text().contains("topic7 ")),
        filter("{'ids': {'values': ['5', '1005', '2005']}}", document -> document.id() % 1000 == 5),
        filter("{'match_none': {}}", _ -> false));
  }

  private static Arguments filter(String json, Predicate<Document> accept) {
    return Arguments.of(json.replace('\'', '"'), accept);
  }

  @Test
  void filtersAfterTheNearestWhenTheFilterStandsBesideKnn() throws IOException {
    float[] query = corpus.queries().getFirst();
    List<Integer> expected =
        corpus.nearest(query, 10, _ -> true).stream()
            .filter(id -> corpus.documents().get(id).sold())
            .toList();

    List<Hit> hits =
        index.search(
            """
            {"_source": false, "query": {"bool": {
              "must": [{"knn": %s}], "filter": [{"term": {"sold": true}}]}}}
            """
                .formatted(TestIndex.clause(query, "")));

    assertEquals(expected, hits.stream().map(Hit::number).toList());
  }

  @Test
  void addsTheScoresOfTextAndVectorInAHybridSearch() throws IOException {
    float[] query = corpus.queries().getFirst();
    String text = corpus.documents().get(corpus.nearest(query, 1, _ -> true).getFirst()).text();
    String match = "{\"match\": {\"text\": \"%s\"}}".formatted(text);
    Map<String, Double> byText =
        scores("{\"_source\": false, \"size\": %d, \"query\": %s}".formatted(COUNT, match));
    Map<String, Double> byVector =
        scores("{\"_source\": false, \"knn\": %s}".formatted(TestIndex.clause(query, "")));

    Map<String, Double> both =
        scores(
            "{\"_source\": false, \"size\": %d, \"query\": %s, \"knn\": %s}"
                .formatted(COUNT, match, TestIndex.clause(query, "")));

    Map<String, Double> expected = new TreeMap<>(byText);
    byVector.forEach((id, score) -> expected.merge(id, score, Double::sum));
    assertEquals(expected.keySet(), both.keySet());
    assertAll(
        expected.entrySet().stream()
            .map(one -> () -> assertClose(one.getValue(), both.get(one.getKey()))));
  }

  private Map<String, Double> scores(String body) throws IOException {
    return index.search(body).stream()
        .collect(Collectors.toMap(Hit::id, Hit::score, (a, _) -> a, TreeMap::new));
  }

  @Test
  void returnsOnlyHitsOfTheRequiredSimilarity() throws IOException {
    float[] query = corpus.queries().get(1);
    List<Integer> nearest = corpus.nearest(query, 10, _ -> true);
    double fourth = cosine(query, nearest.get(3));
    double fifth = cosine(query, nearest.get(4));

    List<Hit> hits = index.knn(query, ", \"similarity\": " + (fourth + fifth) / 2);

    assertEquals(nearest.subList(0, 4), hits.stream().map(Hit::number).toList());
  }

  private double cosine(float[] query, int id) {
    return Corpus.cosine(query, corpus.documents().get(id).vector());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"knn\": %s",
        "\"query\": {\"knn\": %s}",
        "\"query\": {\"bool\": {\"must\": [{\"knn\": %s}, {\"match_all\": {\"boost\": 0}}]}}"
      })
  void returnsRightHitsOnlyWhenTheTimeIsUp(String search) throws IOException {
    // The clock of this node counts milliseconds: a search is cut when one begins while it is under
    // way.
    Map<Integer, Document> documents = Recall.byId(corpus.documents());
    int cut = 0;
    for (int i = 0; cut < 50; i++) {
      assertTrue(i < 10_000, "searches are hardly ever cut");
      float[] query = corpus.queries().get(i % corpus.queries().size());
      JsonNode answer =
          index.call(
              "POST",
              "/_search?request_cache=false",
              "{\"_source\": false, \"timeout\": \"1nanos\", %s}"
                  .formatted(search.formatted(TestIndex.clause(query, ""))));
      List<Hit> hits = TestIndex.hits(answer);
      Recall.assertExact(documents, query, hits);
      assertEquals(0, answer.path("_shards").path("failed").asInt(), answer::toString);
      if (answer.path("timed_out").asBoolean()) {
        assertTrue(hits.size() <= 10);
        cut++;
      } else {
        assertEquals(10, hits.size());
      }
    }
  }

  @Test
  void returnsRightHitsOnlyWhenEnoughAreCollected() throws IOException {
    float[] query = corpus.queries().getFirst();

    JsonNode answer =
        index.call(
            "POST",
            "/_search",
            "{\"_source\": false, \"terminate_after\": 2, \"query\": {\"knn\": %s}}"
                .formatted(TestIndex.clause(query, "")));

    assertTrue(answer.path("terminated_early").asBoolean(), answer::toString);
    List<Hit> hits = TestIndex.hits(answer);
    assertTrue(!hits.isEmpty() && hits.size() < 10, answer::toString);
    Recall.assertExact(Recall.byId(corpus.documents()), query, hits);
    assertTrue(
        corpus.nearest(query, 100, _ -> true).containsAll(hits.stream().map(Hit::number).toList()),
        answer::toString);
  }

  /** Patience is the server's own way to end a search early, at work unless switched off. */
  @Test
  void returnsRightHitsOnlyWhenPatienceIsOver() throws IOException {
    // Only where codes tell little does a search take long enough to lose patience with.
    Corpus shapeless = Corpus.shapeless(20260110, 2000, 192);
    TestIndex hard =
        TestIndex.create(
            index.node(),
            "hard",
            settings + ", \"index.pq32.bytes_per_vector\": 16",
            TestIndex.corpusMapping(192, "\"similarity\": \"cosine\""));
    hard.add(shapeless.documents());
    hard.refresh();

    List<List<Integer>> patient = askForFifty(hard, shapeless, false);
    List<List<Integer>> impatient = askForFifty(hard, shapeless, true);

    assertNotEquals(patient, impatient, "no search was ever cut");
  }

  /** Hits of all queries, each of which must be right. */
  private static List<List<Integer>> askForFifty(TestIndex index, Corpus corpus, boolean impatient)
      throws IOException {
    index.call(
        "PUT",
        "/_settings",
        "{\"index.dense_vector.hnsw_enable_early_termination\": " + impatient + "}");
    Map<Integer, Document> documents = Recall.byId(corpus.documents());
    List<List<Integer>> answers = new ArrayList<>();
    for (float[] query : corpus.queries()) {
      String knn = TestIndex.clause(query, 50, "").replace("\"k\": 10", "\"k\": 50");
      List<Hit> hits =
          index.search("{\"_source\": false, \"size\": 50, \"knn\": %s}".formatted(knn));
      assertEquals(50, hits.size());
      Recall.assertExact(documents, query, hits);
      answers.add(hits.stream().map(Hit::number).toList());
    }
    return answers;
  }

  @Test
  void returnsAsManyHitsAsAsked() throws IOException {
    String knn =
        TestIndex.clause(corpus.queries().getFirst(), "").replace("\"k\": 10", "\"k\": 500");
    List<Hit> hits =
        index.search(
            "{\"_source\": false, \"size\": 500, \"knn\": %s}"
                .formatted(knn.replace("100", "1000")));

    assertEquals(500, hits.stream().map(Hit::id).distinct().count());
  }

  @ParameterizedTest
  @ValueSource(strings = {"cosine", "dot_product", "l2_norm", "max_inner_product"})
  void returnsExactScores(String similarity) throws IOException {
    // dot_product takes unit vectors only; the others must not depend on length.
    Function<float[], float[]> length =
        similarity.equals("dot_product") ? Corpus::unit : Function.identity();
    TestIndex scored =
        TestIndex.create(
            index.node(),
            "scored",
            settings,
            TestIndex.corpusMapping(DIMENSION, "\"similarity\": \"" + similarity + "\""));
    Map<String, String> documents = new TreeMap<>();
    for (Document document : corpus.documents().subList(0, 600)) {
      documents.put(
          Integer.toString(document.id()),
          "{\"vector\": %s}".formatted(Arrays.toString(length.apply(document.vector()))));
    }
    scored.add(documents);
    scored.refresh();

    for (float[] raw : corpus.queries().subList(0, 5)) {
      float[] query = length.apply(raw);
      List<Hit> hits = scored.knn(query, "");
      assertEquals(10, hits.size());
      for (Hit hit : hits) {
        assertClose(
            score(similarity, query, length.apply(corpus.documents().get(hit.number()).vector())),
            hit.score());
      }
    }
  }

  /** The score that Elasticsearch documents for a similarity. */
  private static double score(String similarity, float[] query, float[] vector) {
    double dot = Corpus.dot(query, vector);
    return switch (similarity) {
      case "cosine" -> Corpus.cosineScore(query, vector);
      case "dot_product" -> (1 + dot) / 2;
      case "l2_norm" -> 1 / (1 + Corpus.squareDistance(query, vector));
      case "max_inner_product" -> dot < 0 ? 1 / (1 - dot) : dot + 1;
      default -> throw new IllegalArgumentException(similarity);
    };
  }

  private static void assertClose(double expected, double actual) {
    assertEquals(expected, actual, TOLERANCE * Math.abs(expected));
  }

  @Test
  void returnsVectorsInSourceBitForBit() throws IOException {
    TestIndex exact =
        TestIndex.create(
            index.node(),
            "exact",
            settings,
            TestIndex.corpusMapping(DIMENSION, "\"similarity\": \"l2_norm\""));
    List<Document> documents = corpus.documents().subList(0, 600);
    exact.add(documents);
    exact.refresh();

    exact.assertHolds(documents, "");
  }

  @Test
  void findsNestedVectorsWithTheirInnerHits() throws IOException {
    TestIndex nested =
        TestIndex.create(
            index.node(),
            "nested",
            settings,
            """
            "group": {"type": "keyword"},
            "passages": {"type": "nested", "properties": {
              "number": {"type": "integer"},
              "vector": {"type": "dense_vector", "dims": %d, "similarity": "cosine"}}}
            """
                .formatted(DIMENSION));
    // Parent p holds the passages 3p, 3p + 1 and 3p + 2.
    int passages = 3;
    Map<String, String> parents = new TreeMap<>();
    for (int parent = 0; parent < 200; parent++) {
      parents.put(
          Integer.toString(parent),
          corpus.documents().subList(parent * passages, (parent + 1) * passages).stream()
              .map(
                  document ->
                      "{\"number\": %d, \"vector\": %s}"
                          .formatted(document.id(), Arrays.toString(document.vector())))
              .collect(
                  Collectors.joining(
                      ", ", "{\"group\": \"group" + parent % 2 + "\", \"passages\": [", "]}")));
    }
    nested.add(parents);
    nested.refresh();
    float[] query = corpus.queries().get(2);
    List<Integer> ranked =
        corpus.nearest(query, COUNT, document -> document.id() < parents.size() * passages);
    List<Integer> expected = ranked.stream().map(id -> id / passages).distinct().limit(10).toList();

    List<Hit> hits =
        nested.search(
            """
            {"_source": false, "knn": {"field": "passages.vector", "query_vector": %s, "k": 10,
             "num_candidates": 100, "inner_hits": {"size": 1, "_source": ["passages.number"]}}}
            """
                .formatted(Arrays.toString(query)));

    assertEquals(expected, hits.stream().map(Hit::number).toList());
    for (Hit hit : hits) {
      int best = hit.hit().at("/inner_hits/passages/hits/hits/0/_source/number").asInt();
      assertEquals(
          ranked.stream().filter(id -> id / passages == hit.number()).findFirst().orElseThrow(),
          best);
    }

    List<Hit> ofEvenParents =
        nested.search(
            """
            {"_source": false, "knn": {"field": "passages.vector", "query_vector": %s, "k": 10,
             "num_candidates": 100, "filter": {"term": {"group": "group0"}}}}
            """
                .formatted(Arrays.toString(query)));

    assertEquals(
        ranked.stream()
            .map(id -> id / passages)
            .filter(parent -> parent % 2 == 0)
            .distinct()
            .limit(10)
            .toList(),
        ofEvenParents.stream().map(Hit::number).toList());
  }
}
