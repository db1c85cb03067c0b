package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pq32.elasticsearch.Corpus.Document;
import io.pq32.elasticsearch.node.ElasticsearchNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Proof that our format, and no other, wrote the segments, and of how Elasticsearch sees them. */
@ExtendWith(NodeExtension.class)
class SegmentFilesIT {
  /** Whole blocks of the 64 codes that lie together, so that none is padded. */
  private static final int COUNT = 16 * 64;

  private static final int DIMENSION = 96;
  private static final int CODE_BYTES = 32;
  private static final String FORMAT = "Pq32HnswVectorsFormat";

  /** Extensions of the files that searching reads again and again. */
  private static final Set<String> DATA = Set.of("vec", "veq", "vex");

  private static final String WITH_GRAPH =
      TestIndex.SETTINGS + ", \"index.pq32.graph_threshold\": 1";

  private static final String COSINE = "\"similarity\": \"cosine\"";

  private final List<Document> documents = Corpus.generate(20260105, COUNT, DIMENSION).documents();

  private TestIndex load(ElasticsearchNode node, String settings, String options)
      throws IOException {
    TestIndex index =
        TestIndex.create(node, "files", settings, TestIndex.corpusMapping(DIMENSION, options));
    // A flush always writes a compound file: only a merge of several shows the files themselves.
    index.add(documents.subList(0, COUNT / 2));
    index.refresh();
    index.add(documents.subList(COUNT / 2, COUNT));
    index.forceMerge();
    return index;
  }

  /** Extensions of the files of vectors, all of which must be our format's. */
  private static Set<String> extensions(TestIndex index) throws IOException {
    Set<String> extensions = new TreeSet<>();
    for (String name : index.files()) {
      String extension = name.substring(name.lastIndexOf('.') + 1);
      if (extension.startsWith("ve")) {
        assertTrue(name.matches("_\\w+_" + FORMAT + "_0\\." + extension), name);
        extensions.add(extension);
      }
    }
    return extensions;
  }

  @ParameterizedTest
  @ValueSource(strings = {"hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw"})
  void takesThePlaceOfEveryKindOfHnsw(String kind, ElasticsearchNode node) throws IOException {
    TestIndex index =
        load(
            node,
            TestIndex.SETTINGS,
            "\"index_options\": {\"type\": \"%s\", \"m\": 8}".formatted(kind));

    assertTrue(extensions(index).containsAll(Set.of("vec", "vemf", "veq", "vemq")));
    assertEquals(10, index.knn(documents.getFirst().vector(), "").size());
  }

  @Test
  void mapsItsDataFilesIntoMemory(ElasticsearchNode node) throws IOException {
    assumeTrue(
        Files.isReadable(Path.of("/proc/self/maps")), "only Linux shows what a process has mapped");
    TestIndex index = load(node, WITH_GRAPH, COSINE);
    assertTrue(extensions(index).containsAll(DATA), () -> "files of " + index);
    index.knn(documents.getFirst().vector(), "");

    String mapped = node.memoryMap();

    Path folder = index.folder();
    for (String name : index.files()) {
      if (DATA.contains(name.substring(name.lastIndexOf('.') + 1))) {
        assertTrue(mapped.contains(folder.resolve(name).toString()), name);
      }
    }
  }

  @Test
  void reportsVectorsCodesAndGraphInTheStatistics(ElasticsearchNode node) throws IOException {
    TestIndex index = load(node, WITH_GRAPH, COSINE);

    JsonNode statistics =
        index.call("GET", "/_stats/dense_vector", null).at("/_all/primaries/dense_vector");

    assertEquals(COUNT, statistics.path("value_count").asInt());
    JsonNode offHeap = statistics.path("off_heap");
    assertEquals(
        (long) COUNT * DIMENSION * Float.BYTES,
        offHeap.path("total_vec_size_bytes").asLong(),
        statistics::toString);
    long codes = offHeap.path("total_veq_size_bytes").asLong();
    // Codes, and at most the codebook of 256 centroids and a projection of the whole space.
    long model = Float.BYTES * (256L * DIMENSION + (long) DIMENSION * DIMENSION + 2L * DIMENSION);
    assertTrue(codes >= (long) COUNT * CODE_BYTES, statistics::toString);
    assertTrue(codes <= (long) COUNT * CODE_BYTES + model, statistics::toString);
    assertTrue(offHeap.path("total_vex_size_bytes").asLong() > 0, statistics::toString);
  }

  @Test
  void makesCodesOfTheBytesThatTheIndexAsksFor(ElasticsearchNode node) throws IOException {
    long narrow =
        codeFileSize(
            load(node, TestIndex.SETTINGS + ", \"index.pq32.bytes_per_vector\": 32", COSINE));
    long wide =
        codeFileSize(
            load(node, TestIndex.SETTINGS + ", \"index.pq32.bytes_per_vector\": 96", COSINE));

    // Codebooks of 96 dimensions are equally large however many sub-quantizers share them.
    assertTrue(wide - narrow >= 64L * COUNT, () -> narrow + " and " + wide + " bytes");
  }

  private static long codeFileSize(TestIndex index) throws IOException {
    String name =
        index.files().stream().filter(file -> file.endsWith(".veq")).findFirst().orElseThrow();
    return Files.size(index.folder().resolve(name));
  }

  @Test
  void writesNothingInAnIndexThatDidNotAsk(ElasticsearchNode node) throws IOException {
    TestIndex index =
        load(node, TestIndex.SETTINGS.replace("\"index.pq32.enabled\": true, ", ""), COSINE);

    assertTrue(index.files().stream().noneMatch(name -> name.contains(FORMAT)));
    assertTrue(index.files().stream().anyMatch(name -> name.endsWith(".vec")));
  }

  @Test
  void leavesFieldsThatItDoesNotCompressToTheServer(ElasticsearchNode node) throws IOException {
    TestIndex index =
        TestIndex.create(
            node,
            "stock",
            TestIndex.SETTINGS,
            """
            "byte": {"type": "dense_vector", "dims": 4, "element_type": "byte",
                     "similarity": "l2_norm"},
            "bit": {"type": "dense_vector", "dims": 32, "element_type": "bit"},
            "half": {"type": "dense_vector", "dims": 4, "element_type": "bfloat16",
                     "similarity": "l2_norm"},
            "flat": {"type": "dense_vector", "dims": 4, "similarity": "l2_norm",
                     "index_options": {"type": "flat"}},
            "int8_flat": {"type": "dense_vector", "dims": 4, "similarity": "l2_norm",
                          "index_options": {"type": "int8_flat"}},
            "stored": {"type": "dense_vector", "dims": 4, "index": false},
            "ours": {"type": "dense_vector", "dims": 4, "similarity": "l2_norm"}\
            """);
    Map<String, String> added = new TreeMap<>();
    for (int id = 0; id < 100; id++) {
      String vector = "[" + id + ", 1, 2, 3]";
      added.put(
          Integer.toString(id),
          """
          {"byte": %1$s, "bit": %1$s, "half": %1$s, "flat": %1$s, "int8_flat": %1$s,
           "stored": %1$s, "ours": %1$s}\
          """
              .formatted(vector)
              .replace('\n', ' '));
    }
    index.add(added);
    index.refresh();
    index.add(added);
    index.forceMerge();

    for (String field : List.of("byte", "half", "flat", "int8_flat", "ours")) {
      assertEquals(
          "40",
          index
              .search(
                  """
                  {"_source": false, "knn": {"field": "%s", "query_vector": [40, 1, 2, 3],
                   "k": 1, "num_candidates": 100}}
                  """
                      .formatted(field))
              .getFirst()
              .id(),
          field);
    }
    assertEquals(
        "40",
        index
            .search(
                """
                {"_source": false, "knn": {"field": "bit", "query_vector": [40, 1, 2, 3],
                 "k": 1, "num_candidates": 100}}
                """)
            .getFirst()
            .id());
    assertEquals(
        100,
        index.search("{\"size\": 100, \"query\": {\"exists\": {\"field\": \"stored\"}}}").size());
    // One field is ours; with fewer vectors than a codebook needs it has no codes yet.
    assertEquals(
        1,
        index.files().stream().filter(name -> name.endsWith(FORMAT + "_0.vec")).count(),
        () -> "files of " + index);
    assertTrue(
        index.files().stream().anyMatch(name -> name.endsWith(".vec") && !name.contains(FORMAT)));
  }
}
