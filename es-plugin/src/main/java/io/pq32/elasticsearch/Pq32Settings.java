package io.pq32.elasticsearch;

import io.pq32.lucene.Pq32HnswConfig;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.Booleans;

/**
 * What the owner of an index can say about pq32. Every setting is final: segments of any shape live
 * side by side, but of an index that changed its mind halfway nobody could say what it holds.
 *
 * @param fields names of the fields to compress; empty for every field that can be compressed
 * @param build how segments are built, but for {@code maxConn} and {@code beamWidth}, which come
 *     from the mapping
 */
record Pq32Settings(List<String> fields, Pq32HnswConfig build) {
  /** Whether the index uses pq32 at all. */
  static final Setting<Boolean> ENABLED =
      setting("index.pq32.enabled", "false", Booleans::parseBoolean);

  /** The fields to compress; a name may be mapped later than the index is created. */
  static final Setting<List<String>> FIELDS =
      Setting.stringListSetting(
          "index.pq32.fields", Setting.Property.IndexScope, Setting.Property.Final);

  /** Bytes of a code. */
  static final Setting<Integer> BYTES_PER_VECTOR =
      buildOption(
          "index.pq32.bytes_per_vector",
          Pq32HnswConfig::bytesPerVector,
          Pq32HnswConfig::withBytesPerVector);

  /** Vectors from which a segment gets codes. */
  static final Setting<Integer> MIN_QUANTIZED_COUNT =
      buildOption(
          "index.pq32.min_quantized_count",
          Pq32HnswConfig::minQuantizedCount,
          Pq32HnswConfig::withMinQuantizedCount);

  /** Vectors from which a segment gets a graph. */
  static final Setting<Integer> GRAPH_THRESHOLD =
      buildOption(
          "index.pq32.graph_threshold",
          Pq32HnswConfig::graphThreshold,
          Pq32HnswConfig::withGraphThreshold);

  /** All of them, for the server to register. */
  static final List<Setting<?>> ALL =
      List.of(ENABLED, FIELDS, BYTES_PER_VECTOR, MIN_QUANTIZED_COUNT, GRAPH_THRESHOLD);

  /** The settings of one index. */
  static Pq32Settings of(Settings index) {
    return new Pq32Settings(
        FIELDS.get(index),
        Pq32HnswConfig.DEFAULT
            .withBytesPerVector(BYTES_PER_VECTOR.get(index))
            .withMinQuantizedCount(MIN_QUANTIZED_COUNT.get(index))
            .withGraphThreshold(GRAPH_THRESHOLD.get(index)));
  }

  /** An option whose default and bounds are those of the format's own configuration. */
  private static Setting<Integer> buildOption(
      String key,
      ToIntFunction<Pq32HnswConfig> get,
      BiFunction<Pq32HnswConfig, Integer, Pq32HnswConfig> with) {
    return setting(
        key,
        Integer.toString(get.applyAsInt(Pq32HnswConfig.DEFAULT)),
        text -> get.applyAsInt(with.apply(Pq32HnswConfig.DEFAULT, integer(text))));
  }

  private static int integer(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not an integer", e);
    }
  }

  /** A setting whose parser need only say what is wrong with a value. */
  private static <T> Setting<T> setting(
      String key, String defaultValue, Function<String, T> parser) {
    return new Setting<>(
        key,
        defaultValue,
        text -> {
          try {
            return parser.apply(text);
          } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                "Failed to parse value [" + text + "] for setting [" + key + "]: " + e.getMessage(),
                e);
          }
        },
        Setting.Property.IndexScope,
        Setting.Property.Final);
  }
}
