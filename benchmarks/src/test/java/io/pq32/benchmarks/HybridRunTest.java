package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/**
 * Documents of one word each and vectors of their own. Query i is vector i exactly, or far from it;
 * its text is the word of document i, or no word of any.
 */
class HybridRunTest {
  private static final int DOCUMENTS = 300;

  @TempDir Path data;
  @TempDir Path work;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void write() throws IOException {
    float[][] vectors = TestFiles.vectors(DOCUMENTS, 16, 1);
    TestFiles.fvecs(data.resolve("base.fvecs"), vectors);
    Files.writeString(data.resolve("stats.json"), "{\"metric\": \"l2\"}");
    List<String> docs = new ArrayList<>();
    for (int i = 0; i < DOCUMENTS; i++) {
      docs.add("{\"id\":%d,\"text\":\"word%d\"}".formatted(i, i));
    }
    Files.write(data.resolve("docs.jsonl"), docs);
    float[] far = new float[16];
    Arrays.fill(far, 100);
    TestFiles.fvecs(data.resolve("queries.fvecs"), vectors[0], vectors[1], far, far, far);
    Files.writeString(
        data.resolve("queries.jsonl"),
        """
        {"text": "word0", "relevant": [0]}
        {"text": "nothing", "relevant": [1]}
        {"text": "word2", "relevant": [2]}
        {"text": "!", "relevant": [%d]}
        {"text": "unlabeled"}
        """
            .formatted(farthest(vectors)));
  }

  /** The document that is farthest from the far query, so that the first 100 do not have it. */
  private static int farthest(float[][] vectors) {
    int farthest = 0;
    double most = Double.POSITIVE_INFINITY;
    for (int i = 0; i < vectors.length; i++) {
      double sum = 0;
      for (float value : vectors[i]) {
        sum += value;
      }
      if (sum < most) {
        most = sum;
        farthest = i;
      }
    }
    return farthest;
  }

  @Test
  void rankingsFindWhatTheirSideKnowsAndFusionBoth() throws IOException {
    Map<String, JsonNode> rankings = new HashMap<>();
    for (JsonNode line : run(0, "--hybrid")) {
      if (line.path("type").textValue().equals("hybrid")) {
        assertEquals(4, line.path("questions").intValue());
        assertTrue(line.path("reference").isNull());
        rankings.put(line.path("ranking").textValue(), line.path("quality"));
      }
    }
    assertEquals(7, rankings.size());
    assertEquals(0.5, rankings.get("bm25").path("mrr10").doubleValue()); // words 0 and 2
    assertEquals(0.5, rankings.get("bm25").path("recall100").doubleValue());
    for (String vectors : List.of("exact", "pq32", "float")) {
      double found = rankings.get(vectors).path("recall10").doubleValue();
      assertEquals(0.5, found, vectors); // vectors 0 and 1
      JsonNode fused = rankings.get("rrf(bm25, " + vectors + ")");
      assertEquals(0.75, fused.path("recall100").doubleValue(), vectors);
      assertTrue(fused.path("mrr10").doubleValue() > 0.5, vectors);
    }
    assertTrue(out.toString().contains("4 questions, 100 hits of each ranking"), out.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--limit-base=100 | --hybrid needs --data DIR, where docs.jsonl and queries.jsonl are,",
        "--synthetic-filters | --hybrid excludes --filters, --synthetic-filters and --plot",
        "--plot=x.svg | --hybrid excludes --filters, --synthetic-filters and --plot",
        "--peer-jvector | jvector: has no texts to search",
      })
  void saysWhatDoesNotGoTogether(String option, String message) throws IOException {
    run(2, "--hybrid", option);
    assertTrue(err.toString().contains(message), err.toString());
  }

  @Test
  void saysWhatIsWrongWithTheFiles() throws IOException {
    Files.writeString(data.resolve("queries.jsonl"), "{\"text\": \"a\", \"relevant\": [300]}\n");
    assertRejected("queries.jsonl line 1: relevant must be ids from 0 to 299; got 300");
    Files.writeString(data.resolve("queries.jsonl"), "{\"text\": \"a\", \"relevant\": [1]}\n");
    assertRejected("queries.jsonl: has 1 lines for at least 2 queries");
    Files.writeString(data.resolve("queries.jsonl"), "{}\n".repeat(5));
    assertRejected("queries.jsonl: tells of no query in this run what is relevant to it");
    Files.delete(data.resolve("queries.jsonl"));
    assertRejected("holds no queries.jsonl");
    Files.writeString(data.resolve("docs.jsonl"), "{\"text\": \"a\"}\n");
    assertRejected("docs.jsonl: has 1 lines for 300 vectors");
  }

  private void assertRejected(String message) throws IOException {
    run(2, "--hybrid");
    assertTrue(err.toString().contains(message), err.toString());
  }

  private List<JsonNode> run(int expectedStatus, String... more) throws IOException {
    Path json = work.resolve("results.json");
    List<String> args = new ArrayList<>();
    args.addAll(List.of("recall", "--data", data.toString(), "--json", json.toString()));
    args.addAll(List.of("--work", work.toString(), "--cache", work.resolve("cache").toString()));
    args.addAll(List.of("--formats", "pq32,float"));
    args.addAll(List.of(more));
    CommandLine commandLine =
        Benchmarks.commandLine()
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true));
    assertEquals(expectedStatus, commandLine.execute(args.toArray(String[]::new)), err.toString());
    List<JsonNode> lines = new ArrayList<>();
    if (Files.exists(json)) {
      JsonLines.read(json, lines::add);
    }
    return lines;
  }
}
