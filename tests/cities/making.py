"""A small second city for tests: one dataset, definitions and contract in its own folder, English first, one level."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

CITY = """code: "9900001"
name_zh: 样例港
name_en: Sampleport
publisher_zh: 样例港市政府
publisher_en: City of Sampleport
licence_zh: 样例许可
licence_en: Sample licence
grid_region: Ourland
period_start: 2015
period_end: 2018
base_year: 2015
time_zone: America/Toronto
profile: none
languages: en zh
"""
TABLES = {
    "measures": """measure,dataset,columns,metric,only_column,only_values,subject,breakdowns
sites,site_energy,,,,,operation_name|address,operation_type
electricity,site_energy,electricity,,,,operation_name|address,operation_type
floor_area,site_energy,floor_area,,,,operation_name|address,operation_type
energy,site_energy,electricity|natural_gas,ekWh,,,operation_name|address,operation_type
pumping_energy,site_energy,electricity|natural_gas,ekWh,operation_type,Pumping|Treatment,operation_name|address,
""",
    "indicators": """indicator_id,theme,name_zh,name_en,unit,definition_zh,definition_en,formula,kind,better,decimals,numerator,denominator,multiplier,adds_over_years,by_breakdown,change_of,change_kind,factor_metric
sites,基础,场所数,Sites,个,申报的场所数。,Sites in the return.,count,stock,none,0,sites,,1,0,0,,,
electricity,能源,用电量,Electricity use,kWh,用电量之和。,Sum of electricity.,sum,flow,down,3,electricity,,1,1,0,,,
energy,能源,能耗,Energy use,ekWh,电与气之和。,Electricity and gas.,sum,flow,down,2,energy,,1,1,0,,,ekWh
energy_per_area,能源,单位面积能耗,Energy per area,ekWh/㎡,能耗除以面积。,Energy over area.,ratio,ratio,down,2,energy,floor_area,1,0,1,,,ekWh
pumping_share,能源,供排水占比,Share of pumping,%,供排水能耗占比。,Share of pumping.,ratio,ratio,none,2,pumping_energy,energy,100,0,0,,,ekWh
energy_per_area_change,能源,单位面积能耗变化,Change of energy per area,%,较基年。,Since the base year.,ratio,ratio,down,2,,,100,0,0,energy_per_area,full,ekWh
energy_saved,能源,少用的能源,Energy saved,ekWh,较基年。,Since the base year.,sum,ratio,up,2,,,1,0,0,energy,saved,ekWh
""",
    "factors": """factor_id,carrier,metric,value,per_unit,basis,region,valid_year,source,source_zh
gas-2015,natural_gas,ekWh,10,m³,sampled,Ourland,2015,Sample 2015,样例 2015
gas-2016,natural_gas,ekWh,11,m³,sampled,Ourland,2016,Sample 2016,样例 2016
""",
    "factor_sets": """factor_set,metric,carrier,factor_id,basis,region
default,ekWh,electricity,,,
default,ekWh,natural_gas,,sampled,city
flat,ekWh,natural_gas,gas-2015,,
""",
    "claims": """claim_id,section,name_zh,name_en,value_text,value,unit,qualifier,step,test,target,period_start,period_end,period_note,scope,kind,is_forecast,verifiable,datasets,indicator_id,first_year,year,dimension,member,factor_set,note_zh,note_en,sql
pumps,1,供排水占比,Pumping,"About a third",33,%,approx,1,,,2016,2016,,City,ratio,0,1,site_energy,pumping_share,,2016,total,all,default,,,
pumps_before,1,早年供排水占比,Pumping before,"About half",50,%,approx,5,,,2011,2012,,City,ratio,0,1,site_energy,pumping_share,,2011,total,all,default,,,
pumps_after,1,往后供排水占比,Pumping later,"A third",33,%,exact,1,,,2030,2030,,City,ratio,1,1,site_energy,pumping_share,,2030,total,all,default,,,
costs,1,费用,Cost,"$5",,,none,,,,,,,City,flow,0,0,site_energy,,,,,,,没有费用。,No cost is recorded.,
""",
}
HEADER = (
    "Operation Name",
    "Operation Type",
    "Address",
    "Year",
    "Floor Area",
    "Electricity",
    "Natural Gas",
    "GHG Emissions",
)
# A site twice under one name is two by its address; one has no area and counts in no ratio.
ROWS = {
    2015: (
        ("Hall", "Offices", "1 High St", 2015, 100, 1000.5, 20, 1),
        ("Depot", "Storage", "2 Low St", 2015, 50, 500, "", 1),
        ("Depot", "Storage", "9 Far St", 2015, "", 40, "", 1),
        ("Pump", "Pumping", "3 Bay St", 2015, 10, 700, 10, 1),
    ),
    2016: (
        ("Hall", "Offices", "1 High St", 2016, 100, 900, 20, 1),
        ("Depot", "Storage", "2 Low St", 2016, 50, 500, "", 1),
        ("Pump", "Pumping", "3 Bay St", 2016, 10, 700, 10, 1),
    ),
}


def city_folder(path: Path, **files: str) -> Path:
    """Write the city's folder; `files` take the place of its tables, by their names without the ending."""
    (path / "contracts").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("site_energy.yaml"), path / "contracts")
    (path / "city.yaml").write_text(files.pop("city", CITY), encoding="utf-8")
    for name, text in (TABLES | files).items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def inbox(path: Path, rows: dict[int, Sequence[Sequence[object]]] = ROWS) -> Path:
    """Write the city's returns, a CSV file a year."""
    path.mkdir(parents=True, exist_ok=True)
    for year, of in rows.items():
        with (path / f"sites {year}.csv").open("w", encoding="utf-8", newline="") as f:
            csv.writer(f).writerows([HEADER, *of])
    return path
