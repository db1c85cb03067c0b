package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.pq32.elasticsearch.FieldFormatSelector.Choice;
import io.pq32.lucene.Pq32HnswConfig;
import io.pq32.lucene.Pq32HnswVectorsFormat;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.mapper.KeywordFieldMapper;
import org.elasticsearch.index.mapper.MappedFieldType;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.DenseVectorFieldType;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.DenseVectorIndexOptions;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.ElementType;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.VectorIndexType;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.VectorSimilarity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FieldFormatSelectorTest {
  private static final int DIMENSION = 64;

  private final FieldFormatSelector everyField =
      new FieldFormatSelector(new Pq32Settings(List.of(), Pq32HnswConfig.DEFAULT));

  @ParameterizedTest
  @EnumSource(
      value = VectorIndexType.class,
      names = {"HNSW", "INT8_HNSW", "INT4_HNSW", "BBQ_HNSW"})
  void takesMAndEfConstructionFromEveryKindOfHnsw(VectorIndexType kind) {
    assertWrites(
        Pq32HnswConfig.DEFAULT.withGraph(24, 77),
        everyField.select(floats("v", kind, Map.of("m", 24, "ef_construction", 77))));
  }

  @ParameterizedTest
  @CsvSource({"1, 100, 2, 100", "1000, 100, 512, 512", "16, 4, 16, 16", "16, 9999, 16, 3200"})
  void movesMAndEfConstructionIntoTheFormatsBounds(
      int m, int efConstruction, int maxConn, int beamWidth) {
    assertWrites(
        Pq32HnswConfig.DEFAULT.withGraph(maxConn, beamWidth),
        everyField.select(
            floats("v", VectorIndexType.HNSW, Map.of("m", m, "ef_construction", efConstruction))));
  }

  @Test
  void takesAnIndexedFieldWithoutIndexOptions() {
    assertWrites(
        Pq32HnswConfig.DEFAULT, everyField.select(field("v", ElementType.FLOAT, true, null)));
  }

  @Test
  void takesTheIndexesBuildOptions() {
    Pq32HnswConfig build =
        Pq32HnswConfig.DEFAULT
            .withBytesPerVector(48)
            .withMinQuantizedCount(500)
            .withGraphThreshold(700);

    assertWrites(
        build.withGraph(16, 100),
        new FieldFormatSelector(new Pq32Settings(List.of(), build))
            .select(floats("v", VectorIndexType.HNSW, Map.of())));
  }

  @Test
  void takesOnlyListedFieldsWhenThereIsAList() {
    FieldFormatSelector selector =
        new FieldFormatSelector(new Pq32Settings(List.of("a.b"), Pq32HnswConfig.DEFAULT));

    assertInstanceOf(
        Choice.Compressed.class, selector.select(floats("a.b", VectorIndexType.HNSW, Map.of())));
    assertStock("is not listed", selector.select(floats("b", VectorIndexType.HNSW, Map.of())));
  }

  @ParameterizedTest
  @EnumSource(
      value = VectorIndexType.class,
      names = {"FLAT", "INT8_FLAT", "INT4_FLAT", "BBQ_FLAT", "BBQ_DISK"})
  void leavesOtherKindsOfIndexStock(VectorIndexType kind) {
    assertStock(
        "has index_options type [" + kind + "], not a kind of [hnsw]",
        everyField.select(floats("v", kind, Map.of())));
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"BYTE", "BIT", "BFLOAT16"})
  void leavesOtherElementsStock(ElementType element) {
    assertStock(
        "has element_type [" + element + "], not [float]",
        everyField.select(field("v", element, true, options("v", VectorIndexType.HNSW, Map.of()))));
  }

  @Test
  void leavesWhatIsNotAnIndexedVectorStock() {
    assertStock("is not a dense_vector", everyField.select(null));
    assertStock(
        "is not a dense_vector", everyField.select(new KeywordFieldMapper.KeywordFieldType("k")));
    assertStock("is not indexed", everyField.select(field("v", ElementType.FLOAT, false, null)));
  }

  @Test
  void sharesOneFormatAmongFieldsBuiltAlike() {
    KnnVectorsFormat first = format(everyField.select(floats("a", VectorIndexType.HNSW, Map.of())));

    assertSame(first, format(everyField.select(floats("b", VectorIndexType.INT8_HNSW, Map.of()))));
    assertNotSame(
        first, format(everyField.select(floats("c", VectorIndexType.HNSW, Map.of("m", 32)))));
  }

  private static MappedFieldType floats(
      String name, VectorIndexType kind, Map<String, Integer> options) {
    return field(name, ElementType.FLOAT, true, options(name, kind, options));
  }

  private static DenseVectorIndexOptions options(
      String name, VectorIndexType kind, Map<String, Integer> options) {
    return kind.parseIndexOptions(name, new HashMap<>(options), IndexVersion.current(), false);
  }

  private static MappedFieldType field(
      String name, ElementType element, boolean indexed, DenseVectorIndexOptions options) {
    return new DenseVectorFieldType(
        name,
        IndexVersion.current(),
        element,
        DIMENSION,
        indexed,
        VectorSimilarity.L2_NORM,
        options,
        Map.of(),
        false);
  }

  private static KnnVectorsFormat format(Choice choice) {
    return assertInstanceOf(Choice.Compressed.class, choice).format();
  }

  private static void assertWrites(Pq32HnswConfig expected, Choice choice) {
    assertEquals(new Pq32HnswVectorsFormat(expected).toString(), format(choice).toString());
  }

  private static void assertStock(String reason, Choice choice) {
    assertEquals(new Choice.Stock(reason), choice);
  }
}
