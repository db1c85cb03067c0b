package io.pq32.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.LongField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.IndexableField;

/** What is known of the vectors of a data set besides: text and whole numbers, by field and row. */
final class Metadata implements DocumentFields {
  private final Path file;
  private final Map<String, List<JsonNode>> columns;
  private int rows;

  private Metadata(Path file, Map<String, List<JsonNode>> columns) {
    this.file = file;
    this.columns = columns;
  }

  /** Reads some fields of a file of JSON lines, the first line being row 0. */
  static Metadata read(Path file, Set<String> fields) throws IOException {
    Metadata metadata = new Metadata(file, new LinkedHashMap<>());
    for (String field : fields) {
      metadata.columns.put(field, new ArrayList<>());
    }
    JsonLines.read(
        file,
        row -> {
          metadata.columns.forEach((field, values) -> values.add(row.path(field)));
          metadata.rows++;
        });
    return metadata;
  }

  int rows() {
    return rows;
  }

  /** The value of a field in a row; a missing node where it has none. */
  JsonNode value(String field, int row) {
    return columns.get(field).get(row);
  }

  @Override
  public List<IndexableField> of(int row) {
    List<IndexableField> fields = new ArrayList<>();
    columns.forEach(
        (name, values) -> {
          JsonNode value = values.get(row);
          if (value.isTextual()) {
            fields.add(new StringField(Condition.indexed(name), value.textValue(), Field.Store.NO));
          } else if (value.isIntegralNumber()) {
            fields.add(new LongField(Condition.indexed(name), value.longValue(), Field.Store.NO));
          } else if (!value.isMissingNode() && !value.isNull()) {
            throw new BadInputException(
                "%s line %d: field '%s' must be text or a whole number; got %s"
                    .formatted(file, row + 1, name, value));
          }
        });
    return fields;
  }
}
