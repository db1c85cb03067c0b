package io.pq32.benchmarks;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The filters of a data folder: {@code filters.json}, the metadata they are on in {@code
 * meta.jsonl} or {@code docs.jsonl}, and the exact neighbors that are known of each.
 */
final class FileFilters {
  /** One entry of {@code filters.json}. */
  private record Entry(
      String name, boolean correlated, Condition condition, Optional<Path> truth, int queries) {}

  private final Path folder;
  private final Dataset data;
  private final int k;
  private final Progress.Factory progress;

  private FileFilters(Path folder, Dataset data, int k, Progress.Factory progress) {
    this.folder = folder;
    this.data = data;
    this.k = k;
    this.progress = progress;
  }

  /**
   * Reads them. Filters that no vector passes are left out: there is nothing to find.
   *
   * @param data read from that folder
   * @param k neighbors that will be asked for
   */
  static FilterSet read(Path folder, Dataset data, int k, Progress.Factory progress)
      throws IOException, InterruptedException {
    return new FileFilters(folder, data, k, progress).read();
  }

  private FilterSet read() throws IOException, InterruptedException {
    List<Entry> entries = entries();
    Path file =
        DatasetFiles.existing(folder, "meta", ".jsonl")
            .or(() -> DatasetFiles.existing(folder, "docs", ".jsonl"))
            .orElseThrow(
                () -> new BadInputException(folder + ": holds neither meta.jsonl nor docs.jsonl"));
    Metadata metadata =
        Metadata.read(
            file,
            entries.stream().map(entry -> entry.condition.field()).collect(Collectors.toSet()));
    int lastRow = data.base().row(data.base().size() - 1);
    if (metadata.rows() <= lastRow) {
      throw new BadInputException(
          "%s: has %d lines for at least %d vectors".formatted(file, metadata.rows(), lastRow + 1));
    }
    List<FilterCase> cases = new ArrayList<>();
    for (Entry entry : entries) {
      BitSet accepted = accepted(entry.condition, metadata);
      if (!accepted.isEmpty()) {
        cases.add(filterCase(entry, accepted, metadata.rows()));
      }
    }
    return new FilterSet(cases, metadata);
  }

  private List<Entry> entries() throws IOException {
    Path file = folder.resolve("filters.json");
    if (!Files.isRegularFile(file)) {
      throw new BadInputException(file + ": no such file");
    }
    JsonNode array;
    try {
      array = new ObjectMapper().readTree(file.toFile());
    } catch (JacksonException e) {
      throw new BadInputException(file + ": is no JSON: " + e.getOriginalMessage());
    }
    List<Entry> entries = new ArrayList<>();
    for (JsonNode filter : array) {
      String name = filter.path("name").asText();
      try {
        entries.add(
            new Entry(
                name,
                filter.path("correlated").asBoolean(),
                Condition.parse(filter),
                Optional.ofNullable(filter.path("gt").textValue()).map(folder::resolve),
                filter.path("gt_queries").asInt(Integer.MAX_VALUE)));
      } catch (BadInputException e) {
        throw new BadInputException("%s: filter '%s': %s".formatted(file, name, e.getMessage()));
      }
    }
    return entries;
  }

  private BitSet accepted(Condition condition, Metadata metadata) {
    BitSet accepted = new BitSet();
    for (int id = 0; id < data.base().size(); id++) {
      accepted.set(id, condition.matches(metadata.value(condition.field(), data.base().row(id))));
    }
    return accepted;
  }

  private FilterCase filterCase(Entry entry, BitSet accepted, int allRows)
      throws IOException, InterruptedException {
    VectorSet queries = data.queries().select(queriesOf(entry));
    var filter = new FilterCase.Filter(entry.condition.query(), accepted);
    int depth = Math.min(k, accepted.cardinality());
    Optional<GroundTruth> known =
        data.base().size() == allRows ? known(entry, queries, depth) : Optional.empty();
    GroundTruth truth =
        known.isPresent() ? known.get() : FilterCase.truth(data, queries, filter, depth, progress);
    return new FilterCase(
        entry.name,
        entry.correlated,
        new Dataset(data.name(), data.base(), queries, data.similarity(), truth),
        Collections.nCopies(queries.size(), filter));
  }

  /** Those whose neighbors are known; all if that leaves none of a sample. */
  private int[] queriesOf(Entry entry) {
    List<Integer> known = new ArrayList<>();
    List<Integer> all = new ArrayList<>();
    for (int q = 0; q < data.queries().size(); q++) {
      all.add(q);
      if (data.queries().row(q) < entry.queries) {
        known.add(q);
      }
    }
    return (known.isEmpty() ? all : known).stream().mapToInt(Integer::intValue).toArray();
  }

  private Optional<GroundTruth> known(Entry entry, VectorSet queries, int depth)
      throws IOException {
    if (entry.truth.isEmpty()) {
      return Optional.empty();
    }
    GroundTruth truth = GroundTruth.read(entry.truth.get());
    if (truth.neighbors().length <= queries.row(queries.size() - 1) || truth.depth() < depth) {
      return Optional.empty();
    }
    Dataset.checkIds(entry.truth.get(), truth, data.base().size());
    return Optional.of(truth.forQueries(queries));
  }
}
