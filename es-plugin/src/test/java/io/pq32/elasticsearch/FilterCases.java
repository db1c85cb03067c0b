package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pq32.elasticsearch.Corpus.Document;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever share of the documents a filter accepts, and wherever they lie: min(10, matches) hits,
 * all of which pass, with exact scores and recall .95, in several segments, before and after
 * deletes.
 */
@ExtendWith(NodeExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class FilterCases {
  private static final long SEED = 20260107;

  /** What an index is like, and how it is asked. */
  enum Shape {
    SCANNED(Integer.MAX_VALUE, 4000, 4, 96, 100),
    WITH_GRAPH(1, 4000, 4, 96, 100),

    /** So large, and asked for so few candidates, that walking the graph is the cheapest. */
    WALKED(1, 20_000, 1, 32, 10);

    private final int graphThreshold;
    private final int count;
    private final int segments;
    private final int dimension;
    private final int candidates;

    Shape(int graphThreshold, int count, int segments, int dimension, int candidates) {
      this.graphThreshold = graphThreshold;
      this.count = count;
      this.segments = segments;
      this.dimension = dimension;
      this.candidates = candidates;
    }
  }

  private final Shape shape;
  private final Corpus corpus;
  private final Corpus thinned;
  private TestIndex whole;
  private TestIndex withDeletes;

  FilterCases(Shape shape) {
    this.shape = shape;
    corpus = Corpus.generate(SEED, shape.count, shape.dimension);
    thinned =
        new Corpus(
            corpus.documents().stream().filter(document -> !isDeleted(document)).toList(),
            corpus.queries());
  }

  private static boolean isDeleted(Document document) {
    return document.id() % 7 == 0;
  }

  @BeforeAll
  void load(ElasticsearchNode node) throws IOException {
    whole = load(node, "filtered");
    withDeletes = load(node, "thinned");
    withDeletes.call(
        "POST",
        "/_bulk",
        corpus.documents().stream()
            .filter(FilterCases::isDeleted)
            .map(document -> "{\"delete\": {\"_id\": \"%d\"}}\n".formatted(document.id()))
            .collect(Collectors.joining()));
    withDeletes.refresh();
    assertEquals(thinned.documents().size(), withDeletes.count());
  }

  private TestIndex load(ElasticsearchNode node, String name) throws IOException {
    TestIndex index =
        TestIndex.create(
            node,
            name,
            TestIndex.SETTINGS + ", \"index.pq32.graph_threshold\": " + shape.graphThreshold,
            TestIndex.corpusMapping(shape.dimension, "\"similarity\": \"cosine\""));
    // In an order of their own, so that a range of numbers has documents in every segment.
    List<Document> shuffled = new ArrayList<>(corpus.documents());
    Collections.shuffle(shuffled, new Random(SEED));
    int perSegment = shape.count / shape.segments;
    for (int segment = 0; segment < shape.segments; segment++) {
      index.add(shuffled.subList(segment * perSegment, (segment + 1) * perSegment));
      index.refresh();
    }
    if (shape.segments == 1) {
      index.forceMerge();
    }
    return index;
  }

  /**
   * A filter, which may be another for every query.
   *
   * @param json as the node is asked
   * @param accept as brute force asks
   */
  record Case(String name, Function<float[], String> json, Recall.Filter accept) {
    @Override
    public String toString() {
      return name;
    }
  }

  Stream<Case> cases() {
    return Stream.concat(
        DoubleStream.of(.001, .01, .05, .2, .5, .99, 1).mapToObj(this::share),
        Stream.of(
            new Case(
                "only the query's neighborhood",
                query -> match(near(query)),
                query -> of(near(query))),
            new Case(
                "all but the query's neighborhood",
                query -> "{\"bool\": {\"must_not\": [%s]}}".formatted(match(near(query))),
                query -> of(near(query)).negate()),
            new Case(
                "only what is farthest from the query",
                query -> match(far(query)),
                query -> of(far(query)))));
  }

  /** Independent of the vectors. */
  private Case share(double share) {
    long end = Math.round(share * shape.count);
    return new Case(
        100 * share + " %",
        _ -> "{\"range\": {\"number\": {\"lt\": %d}}}".formatted(end),
        Recall.always(document -> document.id() < end));
  }

  private static String match(String topic) {
    return "{\"match\": {\"text\": \"%s\"}}".formatted(topic);
  }

  private static Predicate<Document> of(String topic) {
    return document -> document.topic().equals(topic);
  }

  private String near(float[] query) {
    return topic(corpus.nearest(query, 1, _ -> true).getFirst());
  }

  private String far(float[] query) {
    return topic(corpus.nearest(query, shape.count, _ -> true).getLast());
  }

  private String topic(int id) {
    return corpus.documents().get(id).topic();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void keepsItsPromiseUnder(Case filter) {
    assertAll(
        () -> assertKept(whole, corpus, filter, FilterCases::inSection),
        () -> assertKept(whole, corpus, filter, FilterCases::inQuery),
        () -> assertKept(withDeletes, thinned, filter, FilterCases::inSection),
        () -> assertKept(withDeletes, thinned, filter, FilterCases::inQuery));
  }

  private void assertKept(
      TestIndex index, Corpus expected, Case filter, Function<String, String> body)
      throws IOException {
    Recall.assertHighUnder(
        filter.accept(),
        expected,
        query ->
            index.search(
                body.apply(
                    TestIndex.clause(
                        query, shape.candidates, ", \"filter\": " + filter.json().apply(query)))));
  }

  private static String inSection(String clause) {
    return "{\"_source\": false, \"size\": 10, \"knn\": %s}".formatted(clause);
  }

  private static String inQuery(String clause) {
    return "{\"_source\": false, \"size\": 10, \"query\": {\"knn\": %s}}".formatted(clause);
  }
}
