#!/bin/sh
# Makes the fonts of the pages anew: sh deploy/fonts/make.sh FOLDER, where FOLDER is a temporary place. README.md tells of them.
set -eu
fonts=$(cd "$(dirname "$0")/../../sessions_app/static/sessions_app/fonts" && pwd)
mkdir -p "$1" && cd "$1"

python3 -m venv tools && tools/bin/pip -q install fonttools==4.63.0 brotli
for package in @fontsource-variable/inter@5.3.0 @fontsource-variable/jetbrains-mono@5.3.0 @fontsource/stix-two-math@5.3.0; do
  tar -xzf "$(npm pack --silent "$package")"
  cp package/files/*-normal.woff2 . && rm -r package
done

# subset SOURCE TARGET UNICODES FEATURES
subset() {
  tools/bin/pyftsubset "$1" --output-file="$fonts/$2.woff2" --flavor=woff2 --unicodes="$3" --layout-features="$4" --no-hinting
}

for part in latin latin-ext greek cyrillic; do
  case $part in
    # Without phonetics, medieval letters and rare currencies; with Vietnamese.
    latin-ext) signs=0100-024F,02BB,02BC,02C7,02D8-02DD,0300-0304,0306-030C,0323-0331,1E80-1E85,1E9E,1EA0-1EF9,20AB,20AE,20B9-20BF ;;
    *) signs='*' ;;
  esac
  tools/bin/fonttools varLib.instancer -q "inter-$part-wght-normal.woff2" wght=400:650 -o inter.ttf
  subset inter.ttf "inter-$part" "$signs" kern,mark,mkmk,ccmp,locl,tnum
  tools/bin/fonttools varLib.instancer -q "jetbrains-mono-$part-wght-normal.woff2" wght=400:600 -o mono.ttf
  subset mono.ttf "jetbrains-mono-$part" "$signs" ccmp,locl # no ligatures: code shows what it says
done

math=stix-two-math-latin-400-normal.woff2
subset $math stix-two-math "0020-007E,00A0-00FF,02C6,02DC,0302-0308,030C,0391-03C9,03D1,03D5,03D6,03F1,03F5,2010-2014,2016,2020,2026,2032,2033,2061-2063,20D7,2102,210E,210F,2111,2113,2115,211A,211C,211D,2124,2190-2194,21A6,21D0,21D2,21D4,2200,2202-2203,2205-2209,220B,220C,220F,2211-2213,2217,2218,221A,221D,221E,2220,2225,2227-222C,222E,223C,223D,2243,2245,2248,224C,2260,2261,2264,2265,226A,226B,2282,2283,2286,2287,2295,2297,22A2,22A3,22A5,22C5,22CD,22EE-22F1,2308-230B,23DE,23DF,25A1,27E8,27E9,1D400-1D467,1D538-1D550,1D6E2-1D71B" ccmp
subset $math stix-two-math-letters "0131,0237,210A-210D,2110,2112,2118,2119,211B,2128-212D,212F-2138,1D468-1D537,1D552-1D6E1,1D71C-1D7FF" ccmp
subset $math stix-two-math-signs "0338,2034-2037,2057,2195-21A5,21A7-21CF,21D1,21D3,21D5-21FF,2201,2204,220A,220D,220E,2210,2214-2216,2219,221B,221C,221F,2221-2224,2226,222D,222F-223B,223E-2242,2244,2246,2247,2249-224B,224D-225F,2262,2263,2266-2269,226C-2281,2284,2285,2288-2294,2296,2298-22A1,22A4,22A6-22C4,22C6-22CC,22CE-22ED,23B0,23B1,23DC,23DD,25A0,25AA,25B2-25CA,25EF,2605,2660-2667,27E6,27E7,27EA-27EF,27F5-27FF,2A00-2A06,2A2F,2A3F,2A7D,2A7E,2A85-2A8C,2AAF,2AB0,2AB5-2ABA,2AC5-2AC6" ccmp
