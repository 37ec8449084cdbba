//! Colours have two fields that say the same: `backgroundColor` and the newer `backgroundColorStyle`.
//!
//! Google fills in the one from the other; so does this, in messages and in masks, before they are applied.

use serde_json::{Map, Value, json};

use crate::mask::Mask;

/// The older field of each pair; the newer one is named like it with `Style` behind.
const COLORS: [&str; 3] = ["backgroundColor", "foregroundColor", "tabColor"];

/// Fills in the missing twin of every colour in a message, at any depth.
pub fn complete(message: &mut Map<String, Value>) {
    for (_, value) in message.iter_mut() {
        if let Value::Object(inner) = value {
            complete(inner);
        }
    }
    for color in COLORS {
        let style = format!("{color}Style");
        if let Some(newer) = message.get(&style) {
            // The newer field wins where both are given; a theme colour has no RGB to fall back on.
            let rgb = newer.get("rgbColor").cloned();
            message.extend(rgb.map(|rgb| (color.to_owned(), rgb)));
        } else if let Some(older) = message.get(color) {
            let newer = json!({ "rgbColor": older });
            message.insert(style, newer);
        }
    }
}

/// Makes a mask that names one of a pair name the other as well.
pub fn widen(mask: &mut Mask) {
    let Mask::Fields(fields) = mask else { return };
    let mut twins = Vec::new();
    for (name, inner) in fields.iter_mut() {
        widen(inner);
        let older = name.strip_suffix("Style").unwrap_or(name);
        if COLORS.contains(&older) {
            *inner = Mask::All;
            twins.extend([older.to_owned(), format!("{older}Style")]);
        }
    }
    twins.retain(|twin| !fields.iter().any(|(name, _)| name == twin));
    twins.dedup();
    fields.extend(twins.into_iter().map(|twin| (twin, Mask::All)));
}
