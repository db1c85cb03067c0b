package io.pq32.elasticsearch.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;

/**
 * How many bytes the vectors of an index take, as the node itself counts them.
 *
 * @param count vectors in the index
 * @param raw the full vectors
 * @param codes the quantized vectors
 * @param codebook what is needed to read the quantized vectors: codebook, once per segment, and
 *     ordinals
 * @param graph the neighbor lists
 * @param files all files of vectors together, with their metadata
 */
record VectorBytes(long count, long raw, long codes, long codebook, long graph, long files) {
  // Lucene's and Elasticsearch's extensions for files of vectors: full, quantized, one bit, graph,
  // and the metadata of each.
  private static final List<String> EXTENSIONS =
      List.of("vec", "vemf", "veq", "vemq", "veb", "vemb", "vex", "vem");

  /**
   * Reads {@code _stats/dense_vector,segments} of one index.
   *
   * @param bytesPerCode bytes of one quantized vector where a codebook lies in the same file; empty
   *     where that file holds nothing else
   */
  static VectorBytes of(JsonNode stats, OptionalInt bytesPerCode) throws IOException {
    JsonNode offHeap = required(stats, "/dense_vector/off_heap");
    JsonNode fileSizes = required(stats, "/segments/file_sizes");
    long files = 0;
    for (String extension : EXTENSIONS) {
      files += fileSizes.path(extension).path("size_in_bytes").asLong();
    }
    long count = required(stats, "/dense_vector/value_count").asLong();
    long quantized =
        required(offHeap, "/total_veq_size_bytes").asLong()
            + required(offHeap, "/total_veb_size_bytes").asLong();
    long codes =
        bytesPerCode.isPresent() ? Math.min(quantized, count * bytesPerCode.getAsInt()) : quantized;
    return new VectorBytes(
        count,
        required(offHeap, "/total_vec_size_bytes").asLong(),
        codes,
        quantized - codes,
        required(offHeap, "/total_vex_size_bytes").asLong(),
        files);
  }

  /** What a search reads over and over: not the full vectors, unless there are no others. */
  long hot() {
    return (codes == 0 ? raw : codes) + codebook + graph;
  }

  /** Offsets, checksums and the like. */
  long metadata() {
    return files - raw - codes - codebook - graph;
  }

  private static JsonNode required(JsonNode stats, String path) throws IOException {
    JsonNode value = stats.at(path);
    if (value.isMissingNode()) {
      throw new IOException("the node's statistics have no " + path);
    }
    return value;
  }
}
