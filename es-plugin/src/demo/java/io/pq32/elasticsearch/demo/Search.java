package io.pq32.elasticsearch.demo;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pq32.elasticsearch.demo.Sample.Query;
import java.io.IOException;
import java.util.List;

/** How is Elasticsearch asked, and what is the exact answer to the same question? */
sealed interface Search {
  /** Hits a search asks for. */
  int SIZE = 10;

  /** Candidates per shard, as the {@code num_candidates} of a {@code knn} search. */
  int CANDIDATES = 100;

  /** What the search is called. */
  String title();

  /** The search as Elasticsearch takes it, with the vector in it. */
  default ObjectNode request(Query query) {
    ObjectNode request = request(query.text());
    ((ObjectNode) request.path("knn")).set("query_vector", Index.array(query.vector()));
    return request.put("_source", false);
  }

  /** The search as Elasticsearch takes it, but for the query's vector. */
  ObjectNode request(String text);

  /** Every document the search accepts, best first. */
  List<Hit> exact(Sample sample, Query query, Index index) throws IOException;

  private static ObjectNode knn(int k) {
    ObjectNode request = JsonNodeFactory.instance.objectNode().put("size", SIZE);
    request
        .putObject("knn")
        .put("field", Index.VECTOR)
        .put("k", k)
        .put("num_candidates", CANDIDATES);
    return request;
  }

  /** The nearest vectors of all. */
  record Plain() implements Search {
    @Override
    public String title() {
      return "knn";
    }

    @Override
    public ObjectNode request(String text) {
      return knn(SIZE);
    }

    @Override
    public List<Hit> exact(Sample sample, Query query, Index index) {
      return ExactRanking.byVector(sample.documents(), query.vector(), document -> true);
    }
  }

  /** The nearest vectors among the documents that pass a filter. */
  record Filtered(Filter filter) implements Search {
    @Override
    public String title() {
      return "knn with the filter " + filter;
    }

    @Override
    public ObjectNode request(String text) {
      ObjectNode request = knn(SIZE);
      ((ObjectNode) request.path("knn")).set("filter", filter.query());
      return request;
    }

    @Override
    public List<Hit> exact(Sample sample, Query query, Index index) {
      return ExactRanking.byVector(sample.documents(), query.vector(), filter);
    }
  }

  /**
   * Full text and vectors together: Elasticsearch adds the score of the text to the boosted score
   * of the {@code k} nearest vectors.
   *
   * @param k nearest vectors that add to the score
   * @param boost what their score, between 0 and 1, is multiplied by, to weigh as much as a text
   *     score
   */
  record Hybrid(int k, double boost) implements Search {
    // The largest answer Elasticsearch gives at once (index.max_result_window); no word of a query
    // is in as many documents of the sample as that.
    private static final int ALL = 10_000;

    @Override
    public String title() {
      return "hybrid: knn + full text";
    }

    @Override
    public ObjectNode request(String text) {
      ObjectNode request = knn(k);
      ((ObjectNode) request.path("knn")).put("boost", boost);
      request.set("query", match(text));
      return request;
    }

    @Override
    public List<Hit> exact(Sample sample, Query query, Index index) throws IOException {
      ObjectNode request =
          JsonNodeFactory.instance.objectNode().put("size", ALL).put("_source", false);
      request.set("query", match(query.text()));
      List<Hit> nearest =
          ExactRanking.byVector(sample.documents(), query.vector(), document -> true);
      return ExactRanking.sum(
          index.search(request), ExactRanking.boosted(ExactRanking.top(nearest, k), boost));
    }

    private static ObjectNode match(String text) {
      ObjectNode query = JsonNodeFactory.instance.objectNode();
      query.putObject("match").put(Index.TEXT, text);
      return query;
    }
  }
}
