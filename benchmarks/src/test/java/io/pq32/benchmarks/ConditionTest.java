package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConditionTest {
  @TempDir Path folder;

  /** Matches of the condition itself, and of its query on fields as they are indexed. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "eq | 'b' | 1 4",
        "in | ['a', 'b'] | 0 1 4",
        "eq | 7 | 2",
        "in | [7, 9] | 2 3",
        "lt | 9 | 2 6",
        "ge | 7 | 2 3",
        "range | [-3, 9] | 2 6",
        "range | [-2, 9] | 2",
      })
  void queryFindsWhatTheConditionMatches(String op, String value, String expected)
      throws IOException {
    Path file = folder.resolve("meta.jsonl");
    Files.writeString(
        file,
        """
        {"f": "a"}
        {"f": "b"}
        {"f": 7}
        {"f": 9}
        {"f": "b", "g": 1}
        {"g": 7}
        {"f": -3}
        {"f": null}
        """);
    Metadata metadata = Metadata.read(file, Set.of("f"));
    assertEquals(8, metadata.rows());
    assertEquals(MissingNode.getInstance(), metadata.value("f", 5));

    // Text and numbers in one field are two fields to Lucene.
    Condition condition = Condition.parse(filter(op, value));
    List<String> matching = new ArrayList<>();
    try (ByteBuffersDirectory directory = new ByteBuffersDirectory()) {
      List<Integer> indexed = new ArrayList<>();
      try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
        boolean text = value.contains("'");
        for (int row = 0; row < metadata.rows(); row++) {
          JsonNode v = metadata.value("f", row);
          if (condition.matches(v)) {
            matching.add(Integer.toString(row));
          }
          if (text == v.isTextual()) {
            Document document = new Document();
            metadata.of(row).forEach(document::add);
            writer.addDocument(document);
            indexed.add(row);
          }
        }
      }
      assertEquals(expected, String.join(" ", matching));
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        List<String> found = new ArrayList<>();
        for (ScoreDoc hit : new IndexSearcher(reader).search(condition.query(), 10).scoreDocs) {
          found.add(indexed.get(hit.doc).toString());
        }
        assertEquals(expected, String.join(" ", found.stream().sorted().toList()));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "like | 'a' | unknown op 'like'; known: eq, in, lt, ge, range",
        "lt | 'a' | value must be a whole number; got \"a\"",
        "ge | 1.5 | value must be a whole number; got 1.5",
        "in | 'a' | value must be a list; got \"a\"",
        "in | [] | value of op 'in' must not be empty",
        "range | [1] | value of op 'range' must be two numbers; got [1]",
      })
  void saysWhatIsWrongWithAFilter(String op, String value, String message) throws IOException {
    JsonNode filter = filter(op, value);
    BadInputException e = assertThrows(BadInputException.class, () -> Condition.parse(filter));
    assertEquals(message, e.getMessage());
  }

  @Test
  void refusesMetadataThatCannotBeIndexed() throws IOException {
    Path file = Files.writeString(folder.resolve("meta.jsonl"), "{\"f\": [1]}\n");
    Metadata metadata = Metadata.read(file, Set.of("f"));
    BadInputException e = assertThrows(BadInputException.class, () -> metadata.of(0));
    assertTrue(
        e.getMessage().endsWith("line 1: field 'f' must be text or a whole number; got [1]"),
        e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {"{\"f\": | line 2: Unexpected end-of-input", "[1] | line 2: is no JSON object"})
  void saysWhichLineIsBroken(String line, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("meta.jsonl"), "{}\n" + line + "\n");
    BadInputException e =
        assertThrows(BadInputException.class, () -> Metadata.read(file, Set.of("f")));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  private static JsonNode filter(String op, String value) throws IOException {
    return new ObjectMapper()
        .readTree(
            "{\"field\": \"f\", \"op\": \"%s\", \"value\": %s}"
                .formatted(op, value.replace('\'', '"')));
  }
}
