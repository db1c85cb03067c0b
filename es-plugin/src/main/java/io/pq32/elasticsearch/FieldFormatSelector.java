package io.pq32.elasticsearch;

import io.pq32.lucene.Pq32HnswConfig;
import io.pq32.lucene.Pq32HnswVectorsFormat;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.mapper.MappedFieldType;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.DenseVectorFieldType;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.DenseVectorIndexOptions;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.ElementType;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.VectorIndexType;
import org.elasticsearch.xcontent.json.JsonXContent;

/** Which format writes the vectors of a field, given its mapping and the index's settings. */
final class FieldFormatSelector {
  /** The mapping's kinds of index that stand for a graph, whose place ours takes. */
  private static final Set<VectorIndexType> HNSW_KINDS =
      EnumSet.of(
          VectorIndexType.HNSW,
          VectorIndexType.INT8_HNSW,
          VectorIndexType.INT4_HNSW,
          VectorIndexType.BBQ_HNSW);

  private final Pq32Settings settings;

  /** Lucene lets fields of one format instance share a segment's files. */
  private final Map<Pq32HnswConfig, KnnVectorsFormat> formats = new ConcurrentHashMap<>();

  FieldFormatSelector(Pq32Settings settings) {
    this.settings = settings;
  }

  /** What a field's vectors are written with. */
  sealed interface Choice {
    /** Ours. */
    record Compressed(KnnVectorsFormat format) implements Choice {}

    /** The server's, because the field is what the reason says. */
    record Stock(String reason) implements Choice {}
  }

  /** The choice for a field of this type; null is a field that is not mapped. */
  Choice select(MappedFieldType type) {
    if (!(type instanceof DenseVectorFieldType vectors)) {
      return new Choice.Stock("is not a dense_vector");
    }
    if (!settings.fields().isEmpty() && !settings.fields().contains(vectors.name())) {
      return new Choice.Stock("is not listed");
    }
    if (vectors.getElementType() != ElementType.FLOAT) {
      // bfloat16 reaches a format as floats, and raw storage as floats would double its disk.
      return new Choice.Stock("has element_type [" + vectors.getElementType() + "], not [float]");
    }
    DenseVectorIndexOptions options = vectors.getIndexOptions();
    if (options == null) {
      return vectors.isSearchable()
          ? compressed(settings.build())
          : new Choice.Stock("is not indexed");
    }
    if (!HNSW_KINDS.contains(options.getType())) {
      return new Choice.Stock(
          "has index_options type [" + options.getType() + "], not a kind of [hnsw]");
    }
    return compressed(build(options));
  }

  private Choice compressed(Pq32HnswConfig build) {
    return new Choice.Compressed(formats.computeIfAbsent(build, Pq32HnswVectorsFormat::new));
  }

  /**
   * The index's build options with the mapping's {@code m} and {@code ef_construction}, moved into
   * our bounds: the server accepts any number in a mapping, and a flush is too late to refuse one.
   */
  private Pq32HnswConfig build(DenseVectorIndexOptions options) {
    // Only some kinds have getters; all of them write the two values.
    Map<String, Object> values =
        XContentHelper.convertToMap(JsonXContent.jsonXContent, Strings.toString(options), false);
    int maxConn =
        Math.clamp(
            ((Number) values.get("m")).intValue(),
            Pq32HnswConfig.MIN_MAX_CONN,
            Pq32HnswConfig.MAX_MAX_CONN);
    int beamWidth =
        Math.clamp(
            ((Number) values.get("ef_construction")).intValue(),
            maxConn,
            Pq32HnswConfig.MAX_BEAM_WIDTH);
    return settings.build().withGraph(maxConn, beamWidth);
  }
}
