package io.pq32.elasticsearch.demo;

import io.pq32.elasticsearch.demo.Judgment.Row;
import io.pq32.elasticsearch.demo.Sample.Document;
import io.pq32.elasticsearch.demo.Sample.Query;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** How good are the answers of an index to all queries of the sample? */
final class Examination {
  /** What the format promises at its defaults, filters or not. */
  private static final double PROMISED_RECALL = 0.95;

  private static final int TITLE_WIDTH = 32;

  private final Sample sample;
  private final Map<String, String> titles;
  private final PrintStream out;

  Examination(Sample sample, PrintStream out) {
    this.sample = sample;
    this.out = out;
    this.titles =
        sample.documents().stream().collect(Collectors.toMap(Document::id, Document::title));
  }

  /** The mean recall of one kind of search. */
  double recall(Search search, Index index) throws IOException {
    return recall(judge(search, index));
  }

  /**
   * Prints the answer to one query beside the exact one, and whether the answers to all queries are
   * right: an approximate search may miss a neighbor now and then, and nothing else.
   */
  boolean print(Search search, Query shown, Index index) throws IOException {
    List<Judgment> judgments = judge(search, index);
    out.printf("%s%n   \"%s\"%n%n", search.title(), shown.text());
    print(judgments.get(sample.queries().indexOf(shown)));
    double recall = recall(judgments);
    long sound = judgments.stream().filter(Judgment::sound).count();
    boolean right = sound == judgments.size() && recall >= PROMISED_RECALL;
    out.printf(
        Locale.ROOT,
        "%n%s: over all %d queries recall@%d is %.3f (promised: %.2f), and %d of %d answers%n"
            + "are complete, accepted by the query and scored exactly.%n",
        right ? "RIGHT" : "WRONG",
        judgments.size(),
        Search.SIZE,
        recall,
        PROMISED_RECALL,
        sound,
        judgments.size());
    if (!right) {
      Judgment worst =
          Collections.min(
              judgments,
              Comparator.comparing(Judgment::sound).thenComparingDouble(Judgment::recall));
      out.printf(
          "%nThe worst of them: \"%s\"%n%n", sample.queries().get(judgments.indexOf(worst)).text());
      print(worst);
    }
    return right;
  }

  private List<Judgment> judge(Search search, Index index) throws IOException {
    List<Judgment> judgments = new ArrayList<>();
    for (Query query : sample.queries()) {
      List<Hit> answer = index.search(search.request(query));
      judgments.add(Judgment.of(answer, search.exact(sample, query, index), Search.SIZE));
    }
    return judgments;
  }

  private static double recall(List<Judgment> judgments) {
    return judgments.stream().mapToDouble(Judgment::recall).average().orElseThrow();
  }

  private void print(Judgment judgment) {
    String format = "%3s  %-" + TITLE_WIDTH + "s %9s   %-" + TITLE_WIDTH + "s %9s  %s%n";
    out.printf(format, "", "Elasticsearch with pq32", "score", "exact, brute force", "score", "");
    int place = 1;
    for (Row row : judgment.rows()) {
      out.printf(
          format,
          place++,
          title(row.answered()),
          score(row.answered()),
          title(row.exact()),
          score(row.exact()),
          row.mark().text);
    }
  }

  private String title(Hit hit) {
    String title = hit == null ? "" : titles.getOrDefault(hit.id(), "unknown id " + hit.id());
    return title.length() <= TITLE_WIDTH ? title : title.substring(0, TITLE_WIDTH - 3) + "...";
  }

  private static String score(Hit hit) {
    return hit == null ? "" : String.format(Locale.ROOT, "%.5f", hit.score());
  }
}
