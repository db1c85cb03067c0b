package io.pq32.elasticsearch.demo;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Is an answer the right one, hit by hit?
 *
 * @param rows the answer beside the exact one
 * @param expected hits the exact answer has
 * @param found hits of the answer that belong to the exact one, whatever score they came with
 */
record Judgment(List<Row> rows, int expected, int found) {
  /** What is wrong with one hit, if anything. */
  enum Mark {
    RIGHT("right"),
    TOO_FAR("WRONG: a better one is missing"),
    BAD_SCORE("WRONG: not its exact score"),
    NOT_ACCEPTED("WRONG: not accepted by the query"),
    REPEATED("WRONG: appears twice"),
    MISSING("WRONG: no hit");

    final String text;

    Mark(String text) {
      this.text = text;
    }
  }

  /** A place in the answer and the same place in the exact one; null where a list has ended. */
  record Row(Hit answered, Hit exact, Mark mark) {}

  // Two floats of 768 terms summed in different orders differ by about 1e-6; scores of neighboring
  // hits differ by 1e-3 and more.
  private static final double SCORE_TOLERANCE = 1e-5;

  /**
   * Compares an answer with the best {@code k} of an exact ranking. A hit that ties with the last
   * of those is as right as it.
   *
   * @param ranking every document the query accepts, best first
   */
  static Judgment of(List<Hit> answer, List<Hit> ranking, int k) {
    int expected = Math.min(k, ranking.size());
    Map<String, Double> exactScores = new HashMap<>();
    ranking.forEach(hit -> exactScores.put(hit.id(), hit.score()));
    Set<String> seen = new HashSet<>();
    List<Row> rows = new ArrayList<>();
    int found = 0;
    for (int i = 0; i < Math.max(expected, answer.size()); i++) {
      Hit exact = i < expected ? ranking.get(i) : null;
      if (i >= answer.size()) {
        rows.add(new Row(null, exact, Mark.MISSING));
        continue;
      }
      Hit hit = answer.get(i);
      Double score = exactScores.get(hit.id());
      Mark mark;
      if (score == null) {
        mark = Mark.NOT_ACCEPTED;
      } else if (!seen.add(hit.id())) {
        mark = Mark.REPEATED;
      } else {
        boolean near = score >= lowest(ranking.get(expected - 1).score());
        found += near ? 1 : 0;
        mark = differ(score, hit.score()) ? Mark.BAD_SCORE : near ? Mark.RIGHT : Mark.TOO_FAR;
      }
      rows.add(new Row(hit, exact, mark));
    }
    return new Judgment(List.copyOf(rows), expected, found);
  }

  /** The share of the exact answer that was found. */
  double recall() {
    return expected == 0 ? 1 : (double) found / expected;
  }

  /**
   * Whether the answer has what an approximate search owes too: as many hits as there can be, all
   * of them accepted, each once and with its exact score.
   */
  boolean sound() {
    return rows.size() == expected
        && rows.stream().allMatch(row -> row.mark() == Mark.RIGHT || row.mark() == Mark.TOO_FAR);
  }

  private static boolean differ(double exact, double score) {
    return !(Math.abs(exact - score) <= tolerance(exact));
  }

  private static double lowest(double score) {
    return score - tolerance(score);
  }

  private static double tolerance(double score) {
    return SCORE_TOLERANCE * Math.max(1, Math.abs(score));
  }
}
