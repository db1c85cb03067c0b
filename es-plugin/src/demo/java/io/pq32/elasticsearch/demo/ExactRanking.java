package io.pq32.elasticsearch.demo;

import io.pq32.elasticsearch.demo.Sample.Document;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** What is the right answer, found by looking at every document? */
final class ExactRanking {
  private static final Comparator<Hit> BEST_FIRST =
      Comparator.comparingDouble(Hit::score).reversed().thenComparing(Hit::id);

  private ExactRanking() {}

  /** Every accepted document by the score Elasticsearch gives to a dot product: (1 + dot) / 2. */
  static List<Hit> byVector(List<Document> documents, float[] query, Predicate<Document> accepted) {
    return documents.stream()
        .filter(accepted)
        .map(document -> new Hit(document.id(), (1 + dot(query, document.vector())) / 2))
        .sorted(BEST_FIRST)
        .toList();
  }

  /** The sum of both scores for every document that is in either list, as a hybrid search does. */
  static List<Hit> sum(List<Hit> left, List<Hit> right) {
    Map<String, Double> scores = new HashMap<>();
    left.forEach(hit -> scores.merge(hit.id(), hit.score(), Double::sum));
    right.forEach(hit -> scores.merge(hit.id(), hit.score(), Double::sum));
    return scores.entrySet().stream()
        .map(entry -> new Hit(entry.getKey(), entry.getValue()))
        .sorted(BEST_FIRST)
        .toList();
  }

  /** The same hits, each score multiplied. */
  static List<Hit> boosted(List<Hit> hits, double boost) {
    return hits.stream().map(hit -> new Hit(hit.id(), hit.score() * boost)).toList();
  }

  /** The best {@code k} of a ranking. */
  static List<Hit> top(List<Hit> ranking, int k) {
    return ranking.subList(0, Math.min(k, ranking.size()));
  }

  private static double dot(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(
          "vectors of dimension " + a.length + " and " + b.length + " cannot be compared");
    }
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }
}
