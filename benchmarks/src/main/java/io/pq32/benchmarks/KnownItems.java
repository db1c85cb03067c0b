package io.pq32.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.TextField;

/**
 * The texts of a data folder, titles included, {@code docs.jsonl}, and the queries of {@code
 * queries.jsonl} of which it is known what they should find: ids in the field {@code relevant}.
 *
 * @param fields the texts, to index with the vectors
 */
record KnownItems(DocumentFields fields, List<Question> questions) {
  /** Field of the texts in an index. */
  static final String TEXT_FIELD = "text";

  /**
   * Something that is looked for.
   *
   * @param query which of the queries of the data set it is
   * @param relevant ids of what should be found
   */
  record Question(int query, String text, Set<Integer> relevant) {}

  /**
   * Reads them.
   *
   * @param data read from that folder, all of its vectors
   */
  static KnownItems read(Path folder, Dataset data) throws IOException {
    Path docs = file(folder, "docs");
    List<String> texts = texts(docs);
    if (texts.size() != data.base().size()) {
      throw new BadInputException(
          "%s: has %d lines for %d vectors".formatted(docs, texts.size(), data.base().size()));
    }
    Path queries = file(folder, "queries");
    List<Question> questions = questions(queries, data);
    if (questions.isEmpty()) {
      throw new BadInputException(
          queries + ": tells of no query in this run what is relevant to it");
    }
    return new KnownItems(
        row -> List.of(new TextField(TEXT_FIELD, texts.get(row), Field.Store.NO)), questions);
  }

  private static Path file(Path folder, String stem) {
    return DatasetFiles.existing(folder, stem, ".jsonl")
        .orElseThrow(() -> new BadInputException(folder + ": holds no " + stem + ".jsonl"));
  }

  private static List<String> texts(Path docs) throws IOException {
    List<String> texts = new ArrayList<>();
    JsonLines.read(
        docs,
        row -> texts.add(words(row.path("title").asText() + " " + row.path("text").asText())));
    return texts;
  }

  /**
   * The letters and digits of a text: Lucene's standard tokenizer would keep {@code foo.bar} and
   * {@code foo_bar} whole, and BM25 would find 1 % fewer of the package descriptions of text-768.
   */
  private static String words(String text) {
    return text.replaceAll("[^\\p{L}\\p{N}]+", " ").strip();
  }

  private static List<Question> questions(Path file, Dataset data) throws IOException {
    List<String> texts = new ArrayList<>();
    List<Set<Integer>> relevant = new ArrayList<>();
    JsonLines.read(
        file,
        row -> {
          Set<Integer> ids = new HashSet<>();
          for (var id : row.path("relevant")) {
            if (!id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= data.base().size()) {
              throw new BadInputException(
                  "%s line %d: relevant must be ids from 0 to %d; got %s"
                      .formatted(file, texts.size() + 1, data.base().size() - 1, id));
            }
            ids.add(id.intValue());
          }
          texts.add(words(row.path("text").asText()));
          relevant.add(ids);
        });
    List<Question> questions = new ArrayList<>();
    for (int query = 0; query < data.queries().size(); query++) {
      int row = data.queries().row(query);
      if (row >= texts.size()) {
        throw new BadInputException(
            "%s: has %d lines for at least %d queries".formatted(file, texts.size(), row + 1));
      }
      if (!relevant.get(row).isEmpty()) {
        questions.add(new Question(query, texts.get(row), relevant.get(row)));
      }
    }
    return questions;
  }
}
