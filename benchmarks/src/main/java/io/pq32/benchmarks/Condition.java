package io.pq32.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.document.LongField;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermInSetQuery;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.util.BytesRef;

/** What must be true of a field's value, and how is Lucene asked for it? */
sealed interface Condition {
  String field();

  boolean matches(JsonNode value);

  /** The query a user would write for it, on fields as {@link Metadata} indexes them. */
  Query query();

  /** The name of a field in the index, where it must not meet those of the benchmark itself. */
  static String indexed(String field) {
    return "meta." + field;
  }

  /** Text that is one of these. */
  record OneOfTexts(String field, Set<String> values) implements Condition {
    @Override
    public boolean matches(JsonNode value) {
      return value.isTextual() && values.contains(value.textValue());
    }

    @Override
    public Query query() {
      return values.size() == 1
          ? new TermQuery(new Term(indexed(field), values.iterator().next()))
          : new TermInSetQuery(indexed(field), values.stream().map(BytesRef::new).toList());
    }
  }

  /** A number that is one of these. */
  record OneOfNumbers(String field, Set<Long> values) implements Condition {
    @Override
    public boolean matches(JsonNode value) {
      return value.isIntegralNumber() && values.contains(value.longValue());
    }

    @Override
    public Query query() {
      return values.size() == 1
          ? LongField.newExactQuery(indexed(field), values.iterator().next())
          : LongField.newSetQuery(
              indexed(field), values.stream().mapToLong(Long::longValue).toArray());
    }
  }

  /** A number from {@code min} to {@code max}, both included. */
  record Between(String field, long min, long max) implements Condition {
    @Override
    public boolean matches(JsonNode value) {
      return value.isIntegralNumber() && value.longValue() >= min && value.longValue() <= max;
    }

    @Override
    public Query query() {
      return LongField.newRangeQuery(indexed(field), min, max);
    }
  }

  /**
   * Reads the condition of an entry of {@code filters.json}: fields {@code field}, {@code op} and
   * {@code value}; the end of a range is excluded.
   */
  static Condition parse(JsonNode filter) {
    String field = filter.path("field").asText();
    String op = filter.path("op").asText();
    JsonNode value = filter.path("value");
    return switch (op) {
      case "eq" -> oneOf(field, List.of(value));
      case "in" -> oneOf(field, elements(value));
      case "lt" -> new Between(field, Long.MIN_VALUE, number(value) - 1);
      case "ge" -> new Between(field, number(value), Long.MAX_VALUE);
      case "range" -> {
        List<JsonNode> ends = elements(value);
        if (ends.size() != 2) {
          throw new BadInputException("value of op 'range' must be two numbers; got " + value);
        }
        yield new Between(field, number(ends.get(0)), number(ends.get(1)) - 1);
      }
      default ->
          throw new BadInputException("unknown op '" + op + "'; known: eq, in, lt, ge, range");
    };
  }

  private static Condition oneOf(String field, Collection<JsonNode> values) {
    if (!values.isEmpty() && values.stream().allMatch(JsonNode::isTextual)) {
      Set<String> texts = new TreeSet<>();
      values.forEach(value -> texts.add(value.textValue()));
      return new OneOfTexts(field, texts);
    }
    if (values.isEmpty()) {
      throw new BadInputException("value of op 'in' must not be empty");
    }
    Set<Long> numbers = new TreeSet<>();
    values.forEach(value -> numbers.add(number(value)));
    return new OneOfNumbers(field, numbers);
  }

  private static List<JsonNode> elements(JsonNode value) {
    if (!value.isArray()) {
      throw new BadInputException("value must be a list; got " + value);
    }
    List<JsonNode> elements = new ArrayList<>();
    value.forEach(elements::add);
    return elements;
  }

  private static long number(JsonNode value) {
    if (!value.isIntegralNumber()) {
      throw new BadInputException("value must be a whole number; got " + value);
    }
    return value.longValue();
  }
}
