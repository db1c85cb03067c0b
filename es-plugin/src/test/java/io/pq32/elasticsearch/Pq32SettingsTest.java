package io.pq32.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.lucene.Pq32HnswConfig;
import java.util.List;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Pq32SettingsTest {
  @Test
  void defaultsToTheFormatsOwnConfigurationForEveryField() {
    assertEquals(
        new Pq32Settings(List.of(), Pq32HnswConfig.DEFAULT), Pq32Settings.of(Settings.EMPTY));
    assertEquals(false, Pq32Settings.ENABLED.get(Settings.EMPTY));
  }

  @Test
  void readsEveryOption() {
    Settings settings =
        Settings.builder()
            .putList("index.pq32.fields", "a", "b.c")
            .put("index.pq32.bytes_per_vector", 64)
            .put("index.pq32.min_quantized_count", 300)
            .put("index.pq32.graph_threshold", 5000)
            .build();

    assertEquals(
        new Pq32Settings(
            List.of("a", "b.c"),
            Pq32HnswConfig.DEFAULT
                .withBytesPerVector(64)
                .withMinQuantizedCount(300)
                .withGraphThreshold(5000)),
        Pq32Settings.of(settings));
  }

  @Test
  void cannotChangeOnceTheIndexExists() {
    assertAll(Pq32Settings.ALL.stream().map(setting -> () -> assertTrue(setting.isFinal())));
  }

  @ParameterizedTest
  @CsvSource({
    "bytes_per_vector, 33, 'one of 16, 32, 48, 64, 96'",
    "bytes_per_vector, many, not an integer",
    "min_quantized_count, 0, between 1 and 2147483647",
    "graph_threshold, -1, between 1 and 2147483647",
    "graph_threshold, 2147483648, not an integer",
  })
  void namesSettingValueAndBoundOfABadOption(String option, String value, String bound) {
    String key = "index.pq32." + option;
    Setting<?> setting =
        Pq32Settings.ALL.stream().filter(one -> one.getKey().equals(key)).findFirst().orElseThrow();

    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> setting.get(Settings.builder().put(key, value).build()))
            .getMessage();

    assertAll(
        () -> assertTrue(message.contains("[" + key + "]"), message),
        () -> assertTrue(message.contains("[" + value + "]"), message),
        () -> assertTrue(message.contains(bound), message));
  }
}
